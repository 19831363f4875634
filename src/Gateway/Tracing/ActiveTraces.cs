using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;

namespace Broker.Gateway.Tracing;

/// <summary>
/// The traces that go on, as those see them who have something to tell. Does not change: another trace makes another set. An event is first
/// asked whom it is for, a bit for each trace, and becomes a line only when it is for any.
/// </summary>
internal sealed class ActiveTraces(Trace[] traces, TraceWriter writer, TimeProvider time)
{
    /// <summary>Whether any is for topics.</summary>
    public bool HasTopics { get; } = traces.Any(static trace => trace.HasTopics);

    /// <summary>Those that are for a client.</summary>
    public ulong For(string clientId, IPAddress? address)
    {
        ulong found = 0;
        for (var i = 0; i < traces.Length; i++)
        {
            found |= traces[i].IsFor(clientId, address) ? 1UL << i : 0;
        }

        return found;
    }

    /// <summary>Those that are for a topic; a Topic Filter is taken for its name.</summary>
    public ulong For(ReadOnlySpan<byte> topic)
    {
        ulong found = 0;
        for (var i = 0; HasTopics && i < traces.Length; i++)
        {
            found |= traces[i].IsFor(topic) ? 1UL << i : 0;
        }

        return found;
    }

    /// <summary>Writes an event, to those that it is for.</summary>
    /// <param name="peer">Address and port; null when there are none.</param>
    /// <param name="direction"><c>in</c> from the client, <c>out</c> to it, <c>--</c> for what the broker does.</param>
    public void Write(ulong to, string clientId, EndPoint? peer, string direction, string text, in ReadOnlySequence<byte> payload = default)
    {
        if (to == 0)
        {
            return;
        }

        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'} {PacketText.Quote(clientId)} {peer?.ToString() ?? "-"} {direction} {text}");
        for (var i = 0; i < traces.Length; i++)
        {
            if ((to & (1UL << i)) != 0)
            {
                writer.Add(traces[i], line + PayloadOf(payload, traces[i].Spec.PayloadBytes));
            }
        }
    }

    private static string PayloadOf(in ReadOnlySequence<byte> payload, int limit)
    {
        if (limit == 0 || payload.IsEmpty)
        {
            return "";
        }

        var shown = payload.Slice(0, Math.Min(limit, payload.Length));
        return " " + PacketText.Quote(Encoding.UTF8.GetString(shown)) + (shown.Length < payload.Length ? "…" : "");
    }
}
