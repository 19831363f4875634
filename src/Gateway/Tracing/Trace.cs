using System.Net;
using System.Text;
using Broker.Gateway.Listeners;
using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Routing;

namespace Broker.Gateway.Tracing;

/// <summary>One trace of this silo: which events are for it, and what has become of them.</summary>
internal sealed class Trace
{
    private readonly byte[]? _filter;
    private readonly AddressRange? _addresses;
    private long _missing;
    private long _lines;
    private long _untold;

    /// <param name="spec">Has been checked (<see cref="TraceRules"/>).</param>
    public Trace(TraceSpec spec, TraceFile file, DateTimeOffset startedAt)
    {
        (Spec, File, StartedAt) = (spec, file, startedAt);
        _filter = spec.Filter is null ? null : Encoding.UTF8.GetBytes(spec.Filter);
        _addresses = spec.Addresses is not null && AddressRange.TryParse(spec.Addresses, out var range) ? range : null;
    }

    public TraceSpec Spec { get; }

    /// <summary>The writer's alone.</summary>
    public TraceFile File { get; }

    public DateTimeOffset StartedAt { get; }

    /// <summary>Ends it when its time is over.</summary>
    public ITimer? Timer { get; set; }

    /// <summary>Why it has ended; null while it goes on.</summary>
    public string? Ending { get; set; }

    public bool HasTopics => _filter is not null;

    /// <param name="client">As <see cref="Auth.RemoteAddress"/> gives it; null when it is not known.</param>
    public bool IsFor(string clientId, IPAddress? client) =>
        (Spec.ClientId is { } traced && traced == clientId)
        || (client is not null && _addresses is { } range && range.Contains(client));

    /// <param name="topic">A topic name, or a Topic Filter, which is taken for one.</param>
    public bool IsFor(ReadOnlySpan<byte> topic) => _filter is not null && FilterText.Matches(_filter, topic);

    /// <summary>An event could not be queued.</summary>
    public void Miss()
    {
        Interlocked.Increment(ref _missing);
        Interlocked.Increment(ref _untold);
    }

    /// <summary>An event was written.</summary>
    public void Count() => Interlocked.Increment(ref _lines);

    /// <summary>Events that were missed since this was called last.</summary>
    public long TakeUntold() => Volatile.Read(ref _untold) == 0 ? 0 : Interlocked.Exchange(ref _untold, 0);

    public TraceReport Report() => new()
    {
        Name = Spec.Name,
        Spec = Spec,
        StartedAt = StartedAt.ToUnixTimeMilliseconds(),
        Ending = Ending,
        Lines = Interlocked.Read(ref _lines),
        Missing = Interlocked.Read(ref _missing),
        Bytes = File.Bytes,
    };
}
