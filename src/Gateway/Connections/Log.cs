using System.Net;
using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>Log messages of connections (event ids 1000 to 1099). Nothing above Debug in the ordinary life of a client.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Debug, "Client {ClientId}: connection lost: {Cause}")]
    public static partial void ConnectionLost(ILogger logger, string clientId, string cause);

    [LoggerMessage(1001, LogLevel.Error, "Client {ClientId}: connection failed")]
    public static partial void ConnectionFailed(ILogger logger, string clientId, Exception error);

    [LoggerMessage(1002, LogLevel.Information, "Client '{ClientId}' at {Address} broke [{Rule}]: {Description}")]
    public static partial void Refused(ILogger logger, string clientId, IPAddress address, string rule, string description);

    [LoggerMessage(1003, LogLevel.Information, "Client '{ClientId}' at {Address} refused: {Reason}")]
    public static partial void ClientRefused(ILogger logger, string clientId, IPAddress address, ReasonCode reason);

    [LoggerMessage(1004, LogLevel.Warning, "Client '{ClientId}' refused: its session could not be had")]
    public static partial void SessionRefused(ILogger logger, string clientId, Exception error);

    [LoggerMessage(1005, LogLevel.Warning, "Client {ClientId}: subscriptions refused by the store")]
    public static partial void SubscriptionsNotSaved(ILogger logger, string clientId, Exception error);

    [LoggerMessage(1006, LogLevel.Information, "Connection from {Address} closed: no CONNECT in time")]
    public static partial void NoConnect(ILogger logger, IPAddress address);

    [LoggerMessage(1007, LogLevel.Debug, "Client {ClientId}: Keep Alive timeout")]
    public static partial void KeepAliveOver(ILogger logger, string clientId);

    [LoggerMessage(1008, LogLevel.Information, "Client {ClientId}: re-authentication not completed in time")]
    public static partial void AuthenticationTimedOut(ILogger logger, string clientId);

    [LoggerMessage(1010, LogLevel.Debug, "Client {ClientId}: PUBLISH {PacketId} to '{Topic}' is message {Message}")]
    public static partial void Accepted(ILogger logger, string clientId, int packetId, string topic, MessageId message);

    [LoggerMessage(1011, LogLevel.Debug, "Client {ClientId}: message {Message} sent as PUBLISH {PacketId} to '{Topic}'")]
    public static partial void Sent(ILogger logger, string clientId, MessageId message, int packetId, string topic);

    [LoggerMessage(1009, LogLevel.Error, "Client '{ClientId}' at {Address}: Authentication Method {Method} failed")]
    public static partial void AuthenticationFailed(ILogger logger, string clientId, IPAddress address, string method, Exception error);
}
