using System.Buffers;
using System.Text.Json;
using Broker.Gateway.Auth;
using Broker.Gateway.Options;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Sys;

/// <summary>
/// Announces clients that connect and disconnect, as JSON on <c>clients/&lt;id&gt;/connected</c> and <c>…/disconnected</c>. As long as
/// nobody in the cluster subscribes to a topic that begins with <c>$</c>, nothing is made or routed.
/// </summary>
internal sealed class ClientPresence(SysOptions options, SysTopics topics, TimeProvider time)
{
    private bool IsWanted => options.Presence && topics.HasSubscribers;

    /// <summary>CONNACK has been sent.</summary>
    public void Connected(ClientIdentity client, ConnectPacket packet, bool sessionPresent)
    {
        if (!IsWanted)
        {
            return;
        }

        Announce(client, "connected", json =>
        {
            json.WriteString("ipaddress", client.Address.ToString());
            json.WriteString("protocol", VersionText(packet.Version));
            json.WriteBoolean("clean_start", packet.CleanStart);
            json.WriteBoolean("session_present", sessionPresent);
            json.WriteNumber("keepalive", packet.KeepAlive);
        });
    }

    /// <summary>The connection has ended.</summary>
    /// <param name="reason">Why the broker closed it; null when it did not.</param>
    public void Disconnected(ClientIdentity client, ProtocolVersion version, EndCause cause, ReasonCode? reason)
    {
        if (!IsWanted)
        {
            return;
        }

        Announce(client, "disconnected", json =>
        {
            json.WriteString("ipaddress", client.Address.ToString());
            json.WriteString("protocol", VersionText(version));
            json.WriteString("reason", ReasonText(cause, reason));
        });
    }

    /// <summary>Why a connection has ended, in one word.</summary>
    public static string ReasonText(EndCause cause, ReasonCode? reason) => cause switch
    {
        EndCause.Disconnect => "normal",
        EndCause.SentAway => "broker_stop",
        _ => reason is { } why ? JsonNamingPolicy.SnakeCaseLower.ConvertName(why.ToString()) : "connection_lost",
    };

    /// <summary>Version of the protocol, as people write it.</summary>
    public static string VersionText(ProtocolVersion version) => version switch
    {
        ProtocolVersion.Mqtt5 => "5.0",
        ProtocolVersion.Mqtt311 => "3.1.1",
        _ => "3.1",
    };

    private void Announce(ClientIdentity client, string what, Action<Utf8JsonWriter> details)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("clientid", client.ClientId);
            json.WriteString("username", client.UserName);
            details(json);
            json.WriteNumber("ts", time.GetUtcNow().ToUnixTimeMilliseconds());
            json.WriteEndObject();
        }

        topics.Publish($"clients/{SysTopics.LevelOf(client.ClientId)}/{what}", buffer.WrittenSpan);
    }
}
