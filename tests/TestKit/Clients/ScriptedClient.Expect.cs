using Broker.Protocol;
using Broker.TestKit.Wire;

namespace Broker.TestKit.Clients;

public sealed partial class ScriptedClient
{
    /// <summary>The next packet, whatever it is.</summary>
    public async Task<ReceivedPacket> NextAsync(TimeSpan? limit = null) =>
        await _inbox.TakeAsync(_ => true, limit ?? Patience)
            ?? throw Missing("packet", limit);

    /// <summary>The next packet, which has to be of this type.</summary>
    public async Task<ReceivedPacket> ExpectAsync(PacketType type, TimeSpan? limit = null)
    {
        var packet = await _inbox.TakeAsync(_ => true, limit ?? Patience)
            ?? throw Missing($"{type}", limit);
        return packet.Type == type ? packet : throw Failure($"expected {type}, got {packet}");
    }

    /// <summary>The next packet, which has to be of this type and for this Packet Identifier.</summary>
    public async Task<ReceivedPacket> ExpectAsync(PacketType type, int packetId)
    {
        var packet = await ExpectAsync(type);
        return packet.PacketId == packetId ? packet : throw Failure($"expected {type} {packetId}, got {packet}");
    }

    /// <summary>The next packet, which has to be this message.</summary>
    public async Task<ReceivedPacket> ExpectPublishAsync(string topic, string payload, TimeSpan? limit = null)
    {
        var packet = await ExpectAsync(PacketType.Publish, limit);
        return packet.Topic == topic && packet.Text == payload
            ? packet
            : throw Failure($"expected {topic} with \"{payload}\", got {packet}");
    }

    /// <summary>The first waiting packet of this type and Packet Identifier, past others whose order is open.</summary>
    public Task<ReceivedPacket> PickAsync(PacketType type, int packetId) =>
        PickAsync(packet => packet.Type == type && packet.PacketId == packetId, $"{type} {packetId}");

    /// <inheritdoc cref="PickAsync(PacketType, int)"/>
    public async Task<ReceivedPacket> PickAsync(Func<ReceivedPacket, bool> fits, string what, TimeSpan? limit = null) =>
        await _inbox.TakeAsync(fits, limit ?? Patience)
            ?? throw Missing(what, limit);

    /// <summary>Messages in the order of arrival.</summary>
    public async Task<IReadOnlyList<ReceivedPacket>> ExpectPublishesAsync(int count)
    {
        var packets = new List<ReceivedPacket>(count);
        while (packets.Count < count)
        {
            packets.Add(await ExpectAsync(PacketType.Publish));
        }

        return packets;
    }

    /// <summary>
    /// Nothing is waiting and nothing comes for a while. For what has no later event to wait for; where one exists
    /// (a marker message, PINGRESP), expecting that one next is the stronger and the faster test.
    /// </summary>
    public async Task ExpectNothingAsync(TimeSpan? during = null)
    {
        // 300 ms: the broker delivers within a millisecond or two when it delivers wrongly.
        var unexpected = await _inbox.TakeAsync(_ => true, during ?? TimeSpan.FromMilliseconds(300));
        if (unexpected is not null)
        {
            throw Failure($"expected nothing, got {unexpected}");
        }

        if (IsClosed)
        {
            throw Failure("expected an open and silent connection");
        }
    }

    /// <summary>The next packet, or null when the broker closes the connection without one.</summary>
    public async Task<ReceivedPacket?> AnswerOrCloseAsync()
    {
        var answer = await _inbox.TakeAsync(_ => true, Patience);
        return answer is not null || IsClosed ? answer : throw Missing("answer and no end of the connection", null);
    }

    /// <summary>True when the connection ends in time, whatever comes before.</summary>
    public Task<bool> ClosesAsync(TimeSpan? limit = null) => _inbox.ClosesAsync(limit ?? Patience);

    /// <summary>The connection is closed by the broker, with no further packet before.</summary>
    public async Task ExpectCloseAsync(TimeSpan? limit = null)
    {
        var unexpected = await _inbox.TakeAsync(_ => true, limit ?? Patience);
        if (unexpected is not null)
        {
            throw Failure($"expected the connection to be closed, got {unexpected}");
        }

        if (!IsClosed)
        {
            throw Failure($"the connection was not closed within {(limit ?? Patience).TotalSeconds} s");
        }
    }

    /// <summary>MQTT 5.0: DISCONNECT with this reason, then the close. 3.x: the close alone.</summary>
    public async Task ExpectDisconnectAsync(ReasonCode reason, TimeSpan? limit = null)
    {
        if (Version == ProtocolVersion.Mqtt5)
        {
            var packet = await ExpectAsync(PacketType.Disconnect, limit);
            if (packet.Reason != reason)
            {
                throw Failure($"expected DISCONNECT with {reason}, got {packet}");
            }
        }

        await ExpectCloseAsync(limit);
    }

    private TestFailureException Missing(string what, TimeSpan? limit) =>
        Failure(IsClosed ? $"no {what} before the connection ended" : $"no {what} within {(limit ?? Patience).TotalSeconds} s");
}
