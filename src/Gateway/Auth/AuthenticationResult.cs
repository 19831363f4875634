using Broker.Protocol;

namespace Broker.Gateway.Auth;

/// <summary>What one member of the chain, or the chain, says of a client.</summary>
public readonly struct AuthenticationResult
{
    private AuthenticationResult(AuthenticationOutcome outcome, string? userName, ReasonCode reason)
    {
        Outcome = outcome;
        UserName = userName;
        Reason = reason;
    }

    /// <summary>Allowed, denied, or for the next member to say. The chain itself never says the last.</summary>
    public AuthenticationOutcome Outcome { get; }

    /// <summary>The proven user name of an allowed client; null when it is anonymous.</summary>
    public string? UserName { get; }

    /// <summary>Reason Code for CONNACK; <see cref="ReasonCode.Success"/> when allowed.</summary>
    public ReasonCode Reason { get; }

    public bool IsAllowed => Outcome == AuthenticationOutcome.Allow;

    /// <summary>Not for this member to say: the next one is asked.</summary>
    public static AuthenticationResult Next => default;

    /// <summary>Accepts the client as <paramref name="userName"/>, or as anonymous when it is null.</summary>
    public static AuthenticationResult Allow(string? userName) =>
        new(AuthenticationOutcome.Allow, userName, ReasonCode.Success);

    /// <summary>Refuses the client; later members are not asked.</summary>
    public static AuthenticationResult Deny(ReasonCode reason) => new(AuthenticationOutcome.Deny, null, reason);
}
