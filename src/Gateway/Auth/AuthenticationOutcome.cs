namespace Broker.Gateway.Auth;

/// <summary>Answer of one member of the authentication chain.</summary>
public enum AuthenticationOutcome
{
    /// <summary>Does not know; the next member is asked.</summary>
    Next,

    /// <summary>The client is who it says.</summary>
    Allow,

    /// <summary>The client is refused.</summary>
    Deny,
}
