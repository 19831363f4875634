using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Broker.Gateway.Auth;

/// <summary>
/// A stored password: PBKDF2 in the PHC string format, <c>$pbkdf2-sha512$i=210000$salt$hash</c> (base64 without padding).
/// </summary>
internal sealed class PasswordHash
{
    // 210,000: what OWASP recommends for PBKDF2 with SHA-512 (2023); about 0.1 s of one core.
    private const int DefaultIterations = 210_000;

    // A file that asks for more would stop logins for seconds; one that asks for less gives the passwords away.
    private const int MinIterations = 1_000;
    private const int MaxIterations = 10_000_000;
    private const int SaltBytes = 16;
    private const int HashBytes = 32;

    private readonly HashAlgorithmName _algorithm;
    private readonly int _iterations;
    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private PasswordHash(HashAlgorithmName algorithm, int iterations, byte[] salt, byte[] hash)
    {
        _algorithm = algorithm;
        _iterations = iterations;
        _salt = salt;
        _hash = hash;
    }

    /// <summary>Hashes a password with a new salt.</summary>
    public static PasswordHash Create(ReadOnlySpan<byte> password, int iterations = DefaultIterations)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var algorithm = HashAlgorithmName.SHA512;
        var hash = Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, algorithm, HashBytes);
        return new PasswordHash(algorithm, iterations, salt, hash);
    }

    /// <summary>Parses the text form; null when it is not one.</summary>
    public static PasswordHash? Parse(string text)
    {
        if (text.Split('$') is not ["", var scheme, ['i', '=', .. var count], var saltText, var hashText] ||
            !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) ||
            iterations is < MinIterations or > MaxIterations ||
            Decode(saltText) is not { Length: > 0 } salt ||
            Decode(hashText) is not { Length: >= SaltBytes } hash)
        {
            return null;
        }

        return scheme switch
        {
            "pbkdf2-sha256" => new PasswordHash(HashAlgorithmName.SHA256, iterations, salt, hash),
            "pbkdf2-sha512" => new PasswordHash(HashAlgorithmName.SHA512, iterations, salt, hash),
            _ => null,
        };
    }

    /// <summary>Whether it is the password. Takes long on purpose: never on a thread that reads sockets.</summary>
    public bool Verify(ReadOnlySpan<byte> password)
    {
        var hash = Rfc2898DeriveBytes.Pbkdf2(password, _salt, _iterations, _algorithm, _hash.Length);
        return CryptographicOperations.FixedTimeEquals(hash, _hash);
    }

    /// <summary>The text form.</summary>
    public override string ToString() => new StringBuilder("$pbkdf2-")
        .Append(_algorithm == HashAlgorithmName.SHA256 ? "sha256" : "sha512")
        .Append(CultureInfo.InvariantCulture, $"$i={_iterations}$")
        .Append(Encode(_salt)).Append('$').Append(Encode(_hash)).ToString();

    /// <summary>Base64 without padding.</summary>
    internal static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <summary>The reverse of <see cref="Encode"/>; null when it is not base64.</summary>
    internal static byte[]? Decode(string text)
    {
        var buffer = new byte[text.Length];
        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        return Convert.TryFromBase64String(padded, buffer, out var length) ? buffer[..length] : null;
    }
}
