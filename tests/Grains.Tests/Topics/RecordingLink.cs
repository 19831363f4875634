using System.Buffers;
using System.Collections.Concurrent;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Grains.Tests.Topics;

/// <summary>A client that notes the numbers that stand in the payloads and acknowledges at once.</summary>
internal sealed class RecordingLink : IClientLink
{
    private readonly ConcurrentQueue<int> _received = new();

    public Session? Session { get; set; }

    public ProtocolVersion Version => ProtocolVersion.Mqtt5;

    public IReadOnlyList<int> Received => [.. _received];

    public int Count => _received.Count;

    /// <summary>
    /// What was received once <paramref name="count"/> messages are here: messages that wait in the session's queue count
    /// as delivered for a publisher, and follow as this client acknowledges. After 30 s whatever there is.
    /// </summary>
    public async Task<IReadOnlyList<int>> ReceivedAsync(int count)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (Count < count && TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(30))
        {
            await Task.Delay(5);
        }

        return Received;
    }

    public SendStatus TryPublish(scoped in PublishSource source, scoped in DeliveryHeader header)
    {
        _received.Enqueue(BitConverter.ToInt32(source.Payload.ToArray()));
        if (header.Qos == QualityOfService.AtLeastOnce)
        {
            var packetId = header.PacketId;
            ThreadPool.QueueUserWorkItem(_ => Session!.Acknowledge(this, PacketType.PubAck, packetId, ReasonCode.Success));
        }

        return SendStatus.Sent;
    }

    public void Acknowledge(PacketType type, ushort packetId, ReasonCode reason)
    {
    }

    public void Close(ReasonCode reason)
    {
    }
}
