using System.Threading.Channels;
using Broker.Gateway.Connections;
using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Embedding;

/// <summary>
/// A subscriber inside the process as its session sees it: what a connection is for a client. Messages wait here, bounded in number and
/// bytes, until the application takes them; the session's window, queue, drop policy and acknowledgements are those of every session.
/// </summary>
internal sealed class SubscriberLink(ConnectionServices services, int capacity, Action<SubscriberLink> ended) : IClientLink
{
    // Unbounded because the link counts itself: it has to refuse by bytes as well.
    private readonly Channel<ReceivedMessage> _unread = Channel.CreateUnbounded<ReceivedMessage>();
    private readonly Lock _gate = new();
    private Session? _session;
    private long _epoch;
    private int _count;
    private long _bytes;
    private bool _isFull;
    private int _isOver;
    private volatile bool _isClosed;

    /// <inheritdoc />
    public ProtocolVersion Version => ProtocolVersion.Mqtt5;

    /// <summary>Nothing more comes.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>Why the session was taken away; null while it was not, and when the application or the broker's stop has ended it.</summary>
    public ReasonCode? CloseReason { get; private set; }

    public ChannelReader<ReceivedMessage> Unread => _unread.Reader;

    /// <summary>Gives it its session; false when another has it by now.</summary>
    public bool Attach(Session session, long epoch)
    {
        (_session, _epoch) = (session, epoch);
        return session.Attach(this, epoch, (ushort)capacity);
    }

    /// <inheritdoc />
    public SendStatus TryPublish(scoped in PublishSource source, scoped in DeliveryHeader header)
    {
        if (_isClosed)
        {
            return SendStatus.Closed;
        }

        var size = source.Topic.Length + source.Properties.Length + source.Payload.Length;
        lock (_gate)
        {
            if (_count >= capacity || (_count > 0 && _bytes + size > services.Limits.OutboundBufferBytes))
            {
                _isFull = true;
                return SendStatus.Full;
            }

            _count++;
            _bytes += size;
        }

        // Only a copy of a message that is still in a receive buffer costs anything.
        var own = source;
        if (!_unread.Writer.TryWrite(new ReceivedMessage(own.Materialize(), header.Qos, header.Retain, header.Dup, header.PacketId)))
        {
            return SendStatus.Closed;
        }

        services.Metrics.Delivered(header.Qos);
        return SendStatus.Sent;
    }

    /// <summary>The application has finished a message: it is acknowledged, and there is room for another one.</summary>
    public void Finish(ReceivedMessage message)
    {
        bool hasRoom;
        lock (_gate)
        {
            _count--;
            _bytes -= message.Size;

            // Half empty: every resumption takes the session's lock.
            hasRoom = _isFull && _count <= capacity / 2;
            _isFull &= !hasRoom;
        }

        using var batch = FlushBatch.Open();
        if (message.PacketId != 0)
        {
            _session!.Acknowledge(this, PacketType.PubAck, message.PacketId, ReasonCode.Success);
        }

        if (hasRoom)
        {
            _session!.ResumeSending(this);
        }
    }

    /// <inheritdoc />
    public void Acknowledge(PacketType type, ushort packetId, ReasonCode reason)
    {
        // For what a client publishes and for QoS 2: a subscriber publishes nothing, and is granted QoS 1 at most.
    }

    /// <inheritdoc />
    public void Close(ReasonCode reason)
    {
        CloseReason ??= reason;
        _isClosed = true;

        // Elsewhere, because whoever closes may hold a lock.
        ThreadPool.UnsafeQueueUserWorkItem(static link => link.End(), this, preferLocal: false);
    }

    /// <summary>Ends it; what was not finished is still the session's, if that lasts.</summary>
    public void End()
    {
        _isClosed = true;
        if (Interlocked.Exchange(ref _isOver, 1) != 0)
        {
            return;
        }

        _unread.Writer.TryComplete();
        if (_session is not null)
        {
            services.Lifecycle.ConnectionEnded(_session, _epoch, EndCause.Disconnect, newExpiryInterval: null);
            CountUnread(_session.ClientId);
        }

        ended(this);
    }

    /// <summary>What was acknowledged to nobody and waits for nobody: QoS 0 that the application has not taken.</summary>
    private void CountUnread(string clientId)
    {
        while (_unread.Reader.TryRead(out var message))
        {
            if (message.PacketId == 0)
            {
                services.Drops.Add(clientId, message.TopicUtf8, DropReason.SlowConsumer);
            }
        }
    }
}
