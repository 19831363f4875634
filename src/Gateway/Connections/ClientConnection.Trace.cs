using System.Buffers;
using System.Net;
using System.Text;
using Broker.Gateway.Tracing;
using Broker.Grains.Delayed;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>What the connection tells the traces of an administrator. Nothing of this runs while nothing is traced.</summary>
internal sealed partial class ClientConnection
{
    // Client Identifier of a CONNECT that has not been accepted, or never is.
    private string _connectName = "";

    private string TraceName => _identity?.ClientId ?? _connectName;

    private IPAddress TraceAddress => _identity?.Address ?? Address;

    private void TraceReceived(ActiveTraces traces, in PacketFrame frame)
    {
        var to = traces.For(TraceName, TraceAddress);
        switch (frame.Type)
        {
            case PacketType.Publish when to != 0 || traces.HasTopics:
                TraceReceivedPublish(traces, to, frame);
                break;
            case PacketType.Connect when ConnectPacket.TryDecode(frame, out var packet, out _):
                Trace(traces, to | traces.For(packet.ClientId, null), packet.ClientId, "in", PacketText.Of(packet));
                break;
            case PacketType.Subscribe when SubscribePacket.TryDecode(frame, Version, out var packet, out _):
                to |= packet.Requests.Aggregate(0UL, (found, request) => found | ForFilter(traces, request.Filter));
                Trace(traces, to, TraceName, "in", PacketText.Of(packet));
                break;
            case PacketType.Unsubscribe when UnsubscribePacket.TryDecode(frame, Version, out var packet, out _):
                to |= packet.Filters.Aggregate(0UL, (found, filter) => found | ForFilter(traces, filter));
                Trace(traces, to, TraceName, "in", PacketText.Of(packet));
                break;
            default:
                TraceFrame(traces, to, "in", frame);
                break;
        }
    }

    /// <summary>Of a subscription in a group, or an exclusive one, the topics count.</summary>
    private static ulong ForFilter(ActiveTraces traces, string filter) => traces.For(Encoding.UTF8.GetBytes(
        SharedFilter.TryParse(filter, out var topics) || ExclusiveFilter.TryParse(filter, out topics) ? topics : filter));

    private void TraceReceivedPublish(ActiveTraces traces, ulong to, in PacketFrame frame)
    {
        if (!PublishDecoder.TryDecode(frame, Version, out var view, out _))
        {
            TraceFrame(traces, to, "in", frame);
            return;
        }

        // An alias that is not known is refused as such; the line says so by its empty topic.
        var topic = view.Topic.IsEmpty && view.TopicAlias < _aliases?.Length ? _aliases[view.TopicAlias] : view.Topic;
        to |= traces.For(DelayedTopic.TryParse(topic, out _, out var target) ? target : topic);
        if (to != 0)
        {
            var text = PacketText.OfPublish(topic, (int)view.Qos, view.Retain, view.Dup, view.PacketId, MessageId.None, view.Payload.Length);
            traces.Write(to, TraceName, _context.RemoteEndPoint, "in", text, view.Payload);
        }
    }

    private void TraceSent(ActiveTraces traces, scoped in PublishSource source, scoped in DeliveryHeader header)
    {
        var to = traces.For(TraceName, TraceAddress) | traces.For(source.Topic);
        if (to != 0)
        {
            var text = PacketText.OfPublish(
                source.Topic, (int)header.Qos, header.Retain, header.Dup, header.PacketId, header.MessageId, source.Payload.Length);
            traces.Write(to, TraceName, _context.RemoteEndPoint, "out", text, source.Payload);
        }
    }

    private void TraceSent(ActiveTraces traces, byte[] bytes)
    {
        var packet = new ReadOnlySequence<byte>(bytes);
        if (PacketFramer.TryRead(ref packet, int.MaxValue, out var frame) == FrameStatus.Complete)
        {
            TraceFrame(traces, traces.For(TraceName, TraceAddress), "out", frame);
        }
    }

    private void TraceSent(ActiveTraces traces, PacketType type, ushort packetId, ReasonCode reason)
    {
        var to = traces.For(TraceName, TraceAddress);
        if (to != 0)
        {
            Trace(traces, to, TraceName, "out", PacketText.OfAck(type, packetId, reason));
        }
    }

    private void TraceViolation(ActiveTraces traces, ProtocolViolation violation) => Trace(
        traces, traces.For(TraceName, TraceAddress), TraceName, "--", $"REFUSED [{violation.SpecId}] {violation.Description}");

    private void TraceEnd(ActiveTraces traces)
    {
        var how = _closeReason is { } reason ? $", by the broker: {PacketText.Of(reason)}"
            : _isSentAway ? ", by the broker: sent away"
            : _isClean ? ", after a DISCONNECT that discards the Will" : "";
        Trace(traces, traces.For(TraceName, TraceAddress), TraceName, "--", "CLOSED" + how);
    }

    private void TraceFrame(ActiveTraces traces, ulong to, string direction, in PacketFrame frame)
    {
        if (to != 0)
        {
            Trace(traces, to, TraceName, direction, PacketText.Of(frame, Version));
        }
    }

    private void Trace(ActiveTraces traces, ulong to, string clientId, string direction, string text) =>
        traces.Write(to, clientId, _context.RemoteEndPoint, direction, text);
}
