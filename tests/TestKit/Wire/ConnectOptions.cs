using Broker.Protocol;

namespace Broker.TestKit.Wire;

/// <summary>Everything a CONNECT can say.</summary>
public sealed record ConnectOptions
{
    private static int _lastClient;

    public ConnectOptions()
    {
    }

    public ConnectOptions(ProtocolVersion version) => Version = version;

    public ProtocolVersion Version { get; init; } = ProtocolVersion.Mqtt5;

    /// <summary>A name of its own unless the test says otherwise.</summary>
    public string ClientId { get; init; } = $"test-{Environment.ProcessId}-{Interlocked.Increment(ref _lastClient)}";

    /// <summary>Clean Start, or Clean Session of 3.x.</summary>
    public bool Clean { get; init; } = true;

    public ushort KeepAlive { get; init; }

    public Will? Will { get; init; }

    public string? UserName { get; init; }

    public byte[]? Password { get; init; }

    /// <summary>Left out of a 3.x packet.</summary>
    public PropertyCollection Properties { get; init; } = [];

    /// <summary>Not sent: the client answers PUBLISH, PUBREC and PUBREL at once, as an ordinary client does.</summary>
    public bool AcknowledgesByItself { get; init; }

    /// <summary>A session that outlives its connection, in the terms of whichever version.</summary>
    public static ConnectOptions Durable(ProtocolVersion version, string clientId, uint expirySeconds = 3600) => new(version)
    {
        ClientId = clientId,
        Clean = false,
        Properties = version == ProtocolVersion.Mqtt5 ? new() { { Prop.SessionExpiryInterval, expirySeconds } } : [],
    };
}
