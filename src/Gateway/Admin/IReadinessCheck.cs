namespace Broker.Gateway.Admin;

/// <summary>Something the broker must have to serve clients.</summary>
public interface IReadinessCheck
{
    /// <summary>One word for it, the same always: a tag of <c>broker.ready.obstacle</c>.</summary>
    string Name { get; }

    /// <summary>Why the broker is not ready, in a few words; null when nothing is wrong here. Must not wait.</summary>
    string? Obstacle { get; }
}
