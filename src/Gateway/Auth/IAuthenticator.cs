namespace Broker.Gateway.Auth;

/// <summary>
/// A member of the authentication chain. Members are asked in the order of their registration until one allows or denies.
/// </summary>
public interface IAuthenticator
{
    /// <summary>Judges a CONNECT. An answer that takes work must not be computed on the caller's thread, which reads sockets.</summary>
    ValueTask<AuthenticationResult> AuthenticateAsync(
        AuthenticationRequest request, CancellationToken cancellationToken);
}
