namespace Broker.Grains.Interfaces.Sessions;

/// <summary>A session as the dashboard shows it: numbers and filters, never payloads or credentials.</summary>
[GenerateSerializer, Immutable, Alias("broker.session.snapshot")]
public sealed record SessionSnapshot
{
    [Id(0)]
    public required string ClientId { get; init; }

    /// <summary>False when the client has no session; the other values are then empty.</summary>
    [Id(1)]
    public bool Exists { get; init; }

    [Id(2)]
    public bool IsConnected { get; init; }

    [Id(3)]
    public bool IsDurable { get; init; }

    /// <summary>Dormant, Loading, Ready or Ended.</summary>
    [Id(4)]
    public string State { get; init; } = "";

    [Id(5)]
    public long Epoch { get; init; }

    /// <summary>Session Expiry Interval in seconds.</summary>
    [Id(6)]
    public uint ExpiryInterval { get; init; }

    /// <summary>Messages that wait.</summary>
    [Id(7)]
    public int Queued { get; init; }

    [Id(8)]
    public long QueuedBytes { get; init; }

    /// <summary>Messages sent and not yet acknowledged.</summary>
    [Id(9)]
    public int Inflight { get; init; }

    /// <summary>First packet ids in flight, with the global ids of their messages.</summary>
    [Id(10)]
    public IReadOnlyList<string> InflightMessages { get; init; } = [];

    /// <summary>QoS 2 packet ids received from the client that wait for PUBREL.</summary>
    [Id(11)]
    public int AwaitingRelease { get; init; }

    /// <summary>Filters with their granted QoS, the first hundred.</summary>
    [Id(12)]
    public IReadOnlyList<string> Subscriptions { get; init; } = [];
}
