using Microsoft.Extensions.Logging;

namespace Broker.Grains.Sessions;

/// <summary>Log messages of sessions (event ids 2000 to 2099).</summary>
public sealed partial class SessionLog(ILogger<Session> logger)
{
    private readonly ILogger _logger = logger;

    [LoggerMessage(2000, LogLevel.Error, "Session {ClientId}: queued messages could not be read from the store")]
    public partial void BodiesNotLoaded(string clientId, Exception error);

    [LoggerMessage(2001, LogLevel.Error, "Session {ClientId}: message {Number} is queued but has no body in the store")]
    public partial void BodyMissing(string clientId, long number);

    [LoggerMessage(2002, LogLevel.Error, "Session {ClientId}: could not be loaded")]
    public partial void NotLoaded(string clientId, Exception error);

    [LoggerMessage(2003, LogLevel.Debug, "Session {ClientId} expired")]
    public partial void Expired(string clientId);

    [LoggerMessage(2005, LogLevel.Warning, "Session {ClientId}: topics of dropped messages could not be read from the store; they are counted without")]
    public partial void TopicsNotRead(string clientId, Exception error);

    [LoggerMessage(2004, LogLevel.Error, "Session {ClientId}: the end of its connection could not be recorded")]
    public partial void EndNotRecorded(string clientId, Exception error);

    [LoggerMessage(2006, LogLevel.Warning, "Client Identifier {ClientId} moves between silos again and again: two clients seem to use it. They are slowed down")]
    public partial void Fight(string clientId);
}
