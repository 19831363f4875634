using System.Net.Sockets;
using Broker.Protocol;
using Broker.TestKit.Wire;

namespace Broker.TestKit.Clients;

public sealed partial class ScriptedClient
{
    /// <summary>Sends bytes as they are.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        Remember(bytes.Span);
        await _sending.WaitAsync(cancellationToken);
        try
        {
            while (bytes.Length > 0)
            {
                bytes = bytes[await _socket.SendAsync(bytes, cancellationToken)..];
            }
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Sends, and takes it as it comes when the broker has closed the connection meanwhile.</summary>
    public async Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        try
        {
            await SendAsync(bytes, cancellationToken);
            return true;
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>A Packet Identifier this client has not used lately.</summary>
    public ushort NextPacketId() => (ushort)(((Interlocked.Increment(ref _lastPacketId) - 1) % 65535) + 1);

    /// <summary>Sends PUBLISH and waits for nothing; picks the packet id when it needs one and has none.</summary>
    public async Task<ushort> SendPublishAsync(PublishOptions publish)
    {
        if (publish.Qos > 0 && publish.PacketId == 0)
        {
            publish = publish with { PacketId = NextPacketId() };
        }

        await SendAsync(Packets.Publish(Version, publish));
        return publish.PacketId;
    }

    public Task<ushort> SendPublishAsync(string topic, string payload, int qos = 0, bool retain = false, ushort id = 0) =>
        SendPublishAsync(new PublishOptions(topic, payload) { Qos = qos, Retain = retain, PacketId = id });

    /// <summary>Publishes and completes the exchange of its QoS; returns the PUBACK or PUBREC.</summary>
    public async Task<ReceivedPacket?> PublishAsync(PublishOptions publish)
    {
        var id = await SendPublishAsync(publish);
        switch (publish.Qos)
        {
            case 1:
                return await PickAsync(PacketType.PubAck, id);
            case 2:
                var received = await PickAsync(PacketType.PubRec, id);
                if (received.Reason < ReasonCode.UnspecifiedError)
                {
                    await AckAsync(PacketType.PubRel, id);
                    await PickAsync(PacketType.PubComp, id);
                }

                return received;
            default:
                return null;
        }
    }

    public Task<ReceivedPacket?> PublishAsync(string topic, string payload, int qos = 0, bool retain = false) =>
        PublishAsync(new PublishOptions(topic, payload) { Qos = qos, Retain = retain });

    public Task AckAsync(PacketType type, int packetId, ReasonCode reason = ReasonCode.Success) =>
        SendAsync(Packets.Ack(type, packetId, reason));

    public Task<ReceivedPacket> SubscribeAsync(string filter, int qos = 0) => SubscribeAsync(new Subscription(filter, qos));

    /// <summary>Sends SUBSCRIBE and returns the SUBACK. Retained messages may come before it; they stay in the inbox.</summary>
    public async Task<ReceivedPacket> SubscribeAsync(Subscription filter, PropertyCollection? properties = null)
    {
        var granted = await SubscribeAsync([filter], properties);
        return granted.Reasons.Count == 1 ? granted : throw Failure("SUBACK for one filter has another number of codes");
    }

    public async Task<ReceivedPacket> SubscribeAsync(IEnumerable<Subscription> filters, PropertyCollection? properties = null)
    {
        var id = NextPacketId();
        await SendAsync(Packets.Subscribe(Version, id, filters, properties));
        return await PickAsync(PacketType.SubAck, id);
    }

    public async Task<ReceivedPacket> UnsubscribeAsync(params string[] filters)
    {
        var id = NextPacketId();
        await SendAsync(Packets.Unsubscribe(Version, id, filters));
        return await PickAsync(PacketType.UnsubAck, id);
    }

    /// <summary>PINGREQ and PINGRESP: everything sent before has been read by the broker.</summary>
    public async Task PingAsync()
    {
        await SendAsync(Packets.PingRequest());
        await PickAsync(packet => packet.Type == PacketType.PingResp, "PINGRESP");
    }

    /// <summary>DISCONNECT, then waits until the broker has closed the connection.</summary>
    public async Task DisconnectAsync(ReasonCode reason = ReasonCode.Success, PropertyCollection? properties = null)
    {
        await SendAsync(Packets.Disconnect(Version, reason, properties));
        if (!await _inbox.ClosesAsync(Patience))
        {
            throw Failure("the broker did not close the connection after DISCONNECT");
        }
    }

    private void Remember(ReadOnlySpan<byte> bytes)
    {
        // 48 bytes: enough to recognise a packet.
        var shown = Convert.ToHexString(bytes[..Math.Min(bytes.Length, 48)]);
        var type = bytes.Length > 0 && Enum.IsDefined((PacketType)(bytes[0] >> 4)) ? $"{(PacketType)(bytes[0] >> 4)}" : "bytes";
        _history.Add($"-> {type} {shown}{(bytes.Length > 48 ? $"… {bytes.Length} bytes" : "")}");
    }
}
