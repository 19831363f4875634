using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.Options;

namespace Broker.Gateway.Auth.Enhanced;

/// <summary>
/// SCRAM-SHA-256 (RFC 5802, RFC 7677) with the users of the users file, without channel binding. The password never reaches
/// the broker, and the client learns that the broker knows its verifier.
/// </summary>
internal sealed class ScramAuthenticator(UserDirectory directory, AuthOptions options) : IEnhancedAuthenticator
{
    // 18 bytes: 24 characters of base64, without padding and without the comma that a nonce must not have.
    private const int NonceBytes = 18;

    // Salts of unknown names last until the broker ends.
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    /// <inheritdoc />
    public string Method => "SCRAM-SHA-256";

    /// <inheritdoc />
    public IAuthenticationExchange Begin(AuthenticationRequest request) =>
        new ScramExchange(Find, Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes)));

    private ScramCredential Find(string name) =>
        directory.Current.ScramOf(name)
        ?? ScramCredential.ForNobody(_secret, Encoding.UTF8.GetBytes(name), options.ScramIterations);
}
