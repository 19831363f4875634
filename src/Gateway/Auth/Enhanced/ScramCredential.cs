using System.Globalization;
using System.Security.Cryptography;

namespace Broker.Gateway.Auth.Enhanced;

/// <summary>
/// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677): neither the password nor anything that lets
/// its reader log in. Text form <c>$scram-sha-256$i=100000$salt$StoredKey$ServerKey</c>, base64 without padding, beside the
/// password hash in the users file.
/// </summary>
internal sealed class ScramCredential
{
    /// <summary>Least iterations of RFC 7677 section 4.</summary>
    public const int MinIterations = 4_096;

    private const string Scheme = "scram-sha-256";
    private const int MaxIterations = 10_000_000;
    private const int SaltBytes = 16;

    private ScramCredential(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey)
    {
        Iterations = iterations;
        Salt = salt;
        StoredKey = storedKey;
        ServerKey = serverKey;
    }

    public int Iterations { get; }

    public byte[] Salt { get; }

    /// <summary>H(ClientKey): what a proof is checked against.</summary>
    public byte[] StoredKey { get; }

    /// <summary>Signs the server's last message, by which the client knows that the server knows it.</summary>
    public byte[] ServerKey { get; }

    /// <summary>Derives a credential with a new salt. Takes as long as a login takes the client.</summary>
    /// <param name="password">The password; prepared here with SASLprep.</param>
    public static ScramCredential Create(string password, int iterations) =>
        Create(password, iterations, RandomNumberGenerator.GetBytes(SaltBytes));

    /// <inheritdoc cref="Create(string, int)"/>
    public static ScramCredential Create(string password, int iterations, byte[] salt)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            SaslPrep.Prepare(password), salt, iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var storedKey = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        return new ScramCredential(iterations, salt, storedKey, HMACSHA256.HashData(salted, "Server Key"u8));
    }

    /// <summary>
    /// A credential that nobody's password fits, for a name that is not known: the exchange goes its whole way, and its first
    /// answer looks like that for a user.
    /// </summary>
    /// <param name="secret">From which the salt of a name is derived, so that the name gets the same one each time.</param>
    public static ScramCredential ForNobody(byte[] secret, ReadOnlySpan<byte> name, int iterations) => new(
        iterations,
        HMACSHA256.HashData(secret, name)[..SaltBytes],
        RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes),
        RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes));

    /// <summary>Parses the text form; null when it is not one.</summary>
    public static ScramCredential? Parse(string text)
    {
        if (text.Split('$') is not ["", Scheme, ['i', '=', .. var count], var saltText, var storedText, var serverText] ||
            !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) ||
            iterations is < MinIterations or > MaxIterations ||
            PasswordHash.Decode(saltText) is not { Length: > 0 } salt ||
            PasswordHash.Decode(storedText) is not { Length: SHA256.HashSizeInBytes } storedKey ||
            PasswordHash.Decode(serverText) is not { Length: SHA256.HashSizeInBytes } serverKey)
        {
            return null;
        }

        return new ScramCredential(iterations, salt, storedKey, serverKey);
    }

    /// <summary>Whether a proof was made by somebody who knows the password (RFC 5802 section 3).</summary>
    public bool Verify(ReadOnlySpan<byte> authMessage, ReadOnlySpan<byte> proof)
    {
        if (proof.Length != SHA256.HashSizeInBytes)
        {
            return false;
        }

        // ClientKey = ClientProof XOR ClientSignature, and H(ClientKey) is what is stored.
        var clientKey = HMACSHA256.HashData(StoredKey, authMessage);
        for (var i = 0; i < clientKey.Length; i++)
        {
            clientKey[i] ^= proof[i];
        }

        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(clientKey), StoredKey);
    }

    /// <summary>The server's signature of an exchange.</summary>
    public byte[] Sign(ReadOnlySpan<byte> authMessage) => HMACSHA256.HashData(ServerKey, authMessage);

    /// <summary>The text form.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"${Scheme}$i={Iterations}${PasswordHash.Encode(Salt)}${PasswordHash.Encode(StoredKey)}${PasswordHash.Encode(ServerKey)}");
}
