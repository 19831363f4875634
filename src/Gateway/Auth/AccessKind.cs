namespace Broker.Gateway.Auth;

/// <summary>What a client wants to do with a topic.</summary>
public enum AccessKind
{
    /// <summary>Publish to a topic name; a Will counts as well.</summary>
    Publish,

    /// <summary>Subscribe to a topic filter.</summary>
    Subscribe,
}
