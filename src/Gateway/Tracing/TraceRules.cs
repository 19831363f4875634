using System.Text;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Broker.Grains.Interfaces.Diagnostics;
using Broker.Protocol;

namespace Broker.Gateway.Tracing;

/// <summary>What a trace may be asked for.</summary>
internal static class TraceRules
{
    /// <summary>Most of each payload that is written, in bytes: to tell messages apart, not to keep them.</summary>
    public const int MaxPayloadBytes = 1024;

    private const int MaxNameLength = 64;

    /// <summary>Whether it can be the name of a file, and of nothing outside of the folder.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= MaxNameLength && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    /// <summary>What is wrong with it; null when nothing is.</summary>
    public static string? Check(TraceSpec spec, TraceOptions options, DateTimeOffset now)
    {
        if (!IsName(spec.Name))
        {
            return $"name: 1 to {MaxNameLength} letters, digits, - and _";
        }

        if ((spec.ClientId is null ? 0 : 1) + (spec.Filter is null ? 0 : 1) + (spec.Addresses is null ? 0 : 1) != 1)
        {
            return "one of client, topic and address";
        }

        if (spec.ClientId is "")
        {
            return "client: a Client Identifier";
        }

        if (spec.Filter is { } filter && !TopicRules.IsValidFilter(Encoding.UTF8.GetBytes(filter)))
        {
            return "topic: a topic or a valid topic filter";
        }

        if (spec.Addresses is { } addresses && !AddressRange.TryParse(addresses, out _))
        {
            return $"address: {AddressRange.Allowed}";
        }

        if (spec.PayloadBytes is < 0 or > MaxPayloadBytes)
        {
            return $"payloadBytes: 0 to {MaxPayloadBytes}";
        }

        // A second more: it is on the way from another silo, whose clock may be ahead.
        var ends = DateTimeOffset.FromUnixTimeMilliseconds(spec.EndsAt);
        return ends <= now || ends > now + options.MaxDuration + TimeSpan.FromSeconds(1)
            ? $"seconds: 1 to {(long)options.MaxDuration.TotalSeconds} (Broker:Trace:MaxDuration)"
            : null;
    }
}
