using Broker.Grains.Hooks;
using Broker.Protocol;

namespace Broker.Gateway.Auth;

/// <summary>Asks the hooks of <c>client.authenticate</c>; the rest of the chain decides when none of them does.</summary>
internal sealed class HookAuthenticator(HookJudges judges) : IAuthenticator
{
    /// <inheritdoc />
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
        judges.HasAuthenticate ? AskAsync(request) : new ValueTask<AuthenticationResult>(AuthenticationResult.Next);

    private async ValueTask<AuthenticationResult> AskAsync(AuthenticationRequest request)
    {
        var client = new HookClient(request.ClientId, request.UserName, RemoteAddress.Known(request.Address));
        return await judges.AuthenticateAsync(client, request.Password, request.Version) switch
        {
            HookDecision.Allow => AuthenticationResult.Allow(request.UserName),
            HookDecision.Deny => AuthenticationResult.Deny(
                request.UserName is null ? ReasonCode.NotAuthorized : ReasonCode.BadUserNameOrPassword),
            _ => AuthenticationResult.Next,
        };
    }
}
