using Broker.Protocol;

namespace Broker.Gateway.Auth;

/// <summary>
/// Checks user name and password against the users file. Leaves clients without a user name, and every client while the file has no
/// users, to the next member.
/// </summary>
internal sealed class UsersFileAuthenticator(UserDirectory directory) : IAuthenticator, IDisposable
{
    // Half of the cores: wrong passwords cost 0.1 s each, and must not take the machine from the clients that are connected.
    private readonly SemaphoreSlim _hashing = new(Math.Max(1, Environment.ProcessorCount / 2));

    // Verified in place of a user that does not exist, so that the time of the answer does not tell which names do.
    private readonly Lazy<PasswordHash> _nobody = new(() => PasswordHash.Create("nobody"u8));

    /// <inheritdoc />
    public ValueTask<AuthenticationResult> AuthenticateAsync(
        AuthenticationRequest request, CancellationToken cancellationToken)
    {
        if (request.UserName is not { } name || directory.Current is not { Count: > 0 } users)
        {
            return new(AuthenticationResult.Next);
        }

        if (request.Password is not { } password)
        {
            return new(AuthenticationResult.Deny(ReasonCode.BadUserNameOrPassword));
        }

        return users.IsVerified(name, password.Span)
            ? new(AuthenticationResult.Allow(name))
            : new(VerifyAsync(users, name, password.ToArray(), cancellationToken));
    }

    /// <inheritdoc />
    public void Dispose() => _hashing.Dispose();

    private async Task<AuthenticationResult> VerifyAsync(
        UserSet users, string name, byte[] password, CancellationToken cancellationToken)
    {
        await _hashing.WaitAsync(cancellationToken);
        try
        {
            // Another connection of the same user may have been first.
            return users.IsVerified(name, password) || await Task.Run(() => Verify(users, name, password), cancellationToken)
                ? AuthenticationResult.Allow(name)
                : AuthenticationResult.Deny(ReasonCode.BadUserNameOrPassword);
        }
        finally
        {
            _hashing.Release();
        }
    }

    private bool Verify(UserSet users, string name, byte[] password)
    {
        if (users.Contains(name))
        {
            return users.Verify(name, password);
        }

        _nobody.Value.Verify(password);
        return false;
    }
}
