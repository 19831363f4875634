using Broker.Protocol;

namespace Broker.Gateway.Auth.Enhanced;

/// <summary>Answer of an <see cref="IAuthenticationExchange"/> to one packet of the client.</summary>
public readonly struct ExchangeStep
{
    private ExchangeStep(ReasonCode reason, string? userName, byte[]? data)
    {
        Reason = reason;
        UserName = userName;
        Data = data;
    }

    /// <summary>
    /// <see cref="ReasonCode.ContinueAuthentication"/>: the client has to say more. <see cref="ReasonCode.Success"/>: it is who
    /// it says. Otherwise why it is refused, for CONNACK or DISCONNECT.
    /// </summary>
    public ReasonCode Reason { get; }

    /// <summary>The proven user name; null while none is, or when the method proves none.</summary>
    public string? UserName { get; }

    /// <summary>Authentication Data for the client; null for none.</summary>
    public byte[]? Data { get; }

    /// <summary>Asks the client for its next packet.</summary>
    public static ExchangeStep Continue(byte[]? data) => new(ReasonCode.ContinueAuthentication, null, data);

    /// <summary>Accepts the client; <paramref name="data"/> goes with CONNACK, or with the AUTH that ends a re-authentication.</summary>
    public static ExchangeStep Accept(string? userName, byte[]? data) => new(ReasonCode.Success, userName, data);

    /// <summary>Refuses the client.</summary>
    public static ExchangeStep Refuse(ReasonCode reason) => new(reason, null, null);
}
