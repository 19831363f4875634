using System.Text.Json.Serialization;
using Broker.Grains.Interfaces.Diagnostics;

namespace Broker.Gateway.Tracing;

/// <summary>Body of <c>POST /api/v1/traces</c>. What may be left out can be set: the generated reader would give init-only properties a value of its own.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record TraceRequest
{
    // 10 min: long enough to have somebody repeat what goes wrong.
    private const int DefaultSeconds = 600;

    public required string Name { get; init; }

    /// <summary>Client Identifier; of this, topic and address one is given.</summary>
    public string? Client { get; set; }

    /// <summary>A topic, or a Topic Filter.</summary>
    public string? Topic { get; set; }

    /// <summary>An address, or a network <c>ADDRESS/BITS</c>.</summary>
    public string? Address { get; set; }

    /// <summary>How long it goes on.</summary>
    public int Seconds { get; set; } = DefaultSeconds;

    /// <summary>How much of each payload is written.</summary>
    public int PayloadBytes { get; set; }

    public TraceSpec ToSpec(DateTimeOffset now) => new()
    {
        Name = Name,
        ClientId = Client,
        Filter = Topic,
        Addresses = Address,
        PayloadBytes = PayloadBytes,
        EndsAt = now.AddSeconds(Seconds).ToUnixTimeMilliseconds(),
    };
}
