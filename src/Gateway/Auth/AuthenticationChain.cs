using Broker.Protocol;

namespace Broker.Gateway.Auth;

/// <summary>
/// Asks the authenticators in order; the first that allows or denies decides, and a client that nobody vouches for is denied.
/// Answers that are there at once cost no state machine.
/// </summary>
public sealed class AuthenticationChain(IEnumerable<IAuthenticator> authenticators)
{
    private readonly IAuthenticator[] _authenticators = [.. authenticators];

    /// <summary>Allows or denies; never <see cref="AuthenticationOutcome.Next"/>.</summary>
    public ValueTask<AuthenticationResult> AuthenticateAsync(
        AuthenticationRequest request, CancellationToken cancellationToken)
    {
        for (var i = 0; i < _authenticators.Length; i++)
        {
            var answer = _authenticators[i].AuthenticateAsync(request, cancellationToken);
            if (!answer.IsCompletedSuccessfully)
            {
                return ContinueAsync(answer, i + 1, request, cancellationToken);
            }

            var result = answer.Result;
            if (result.Outcome != AuthenticationOutcome.Next)
            {
                return new ValueTask<AuthenticationResult>(result);
            }
        }

        return new ValueTask<AuthenticationResult>(Unknown(request));
    }

    private async ValueTask<AuthenticationResult> ContinueAsync(
        ValueTask<AuthenticationResult> pending,
        int next,
        AuthenticationRequest request,
        CancellationToken cancellationToken)
    {
        var result = await pending;
        while (result.Outcome == AuthenticationOutcome.Next && next < _authenticators.Length)
        {
            result = await _authenticators[next++].AuthenticateAsync(request, cancellationToken);
        }

        return result.Outcome == AuthenticationOutcome.Next ? Unknown(request) : result;
    }

    private static AuthenticationResult Unknown(AuthenticationRequest request) => AuthenticationResult.Deny(
        request.UserName is null ? ReasonCode.NotAuthorized : ReasonCode.BadUserNameOrPassword);
}
