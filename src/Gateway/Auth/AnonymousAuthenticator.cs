using System.Net;
using Broker.Gateway.Options;

namespace Broker.Gateway.Auth;

/// <summary>
/// The last of the chain: accepts clients that have proven nothing, if <see cref="AuthOptions.AllowAnonymous"/> says so, or
/// says nothing and they come from this machine.
/// </summary>
internal sealed class AnonymousAuthenticator(AuthOptions options) : IAuthenticator
{
    /// <inheritdoc />
    public ValueTask<AuthenticationResult> AuthenticateAsync(
        AuthenticationRequest request, CancellationToken cancellationToken)
    {
        var allowed = options.AllowAnonymous ?? IPAddress.IsLoopback(request.Address);
        return new(allowed ? AuthenticationResult.Allow(null) : AuthenticationResult.Next);
    }
}
