namespace Broker.Gateway.Auth.Enhanced;

/// <summary>
/// An Authentication Method of MQTT 5.0 (section 4.12). Every registered one is offered; a CONNECT that names another is
/// refused with Bad authentication method (0x8C).
/// </summary>
public interface IEnhancedAuthenticator
{
    /// <summary>Name of the method as clients send it, case-sensitive.</summary>
    string Method { get; }

    /// <summary>
    /// Begins an exchange: for a CONNECT, or for a client that is connected and authenticates again. One exchange serves
    /// one authentication; its steps are asked for one after the other.
    /// </summary>
    IAuthenticationExchange Begin(AuthenticationRequest request);
}

/// <summary>One authentication under way.</summary>
public interface IAuthenticationExchange
{
    /// <summary>
    /// Judges what the client has sent. Work that takes long must not be done on the caller's thread, which reads sockets.
    /// </summary>
    /// <param name="data">Authentication Data of CONNECT or AUTH; empty when there is none.</param>
    /// <param name="cancellationToken">The connection has ended.</param>
    ValueTask<ExchangeStep> NextAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);
}
