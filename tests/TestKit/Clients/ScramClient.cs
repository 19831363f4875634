using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Broker.TestKit.Clients;

/// <summary>The client's side of SCRAM-SHA-256 (RFC 5802), written apart from the broker's.</summary>
/// <param name="nonce">Null: a random one.</param>
public sealed class ScramClient(string user, string password, string? nonce = null)
{
    private readonly string _nonce = nonce ?? Convert.ToHexString(RandomNumberGenerator.GetBytes(12));
    private string _authMessage = "";
    private byte[] _salted = [];

    /// <summary>Authentication Data of the first packet.</summary>
    public byte[] First() => Encoding.UTF8.GetBytes("n,," + Bare);

    /// <summary>The answer to the server's challenge.</summary>
    public byte[] Final(byte[] challenge)
    {
        var serverFirst = Encoding.UTF8.GetString(challenge);
        var fields = serverFirst.Split(',').ToDictionary(field => field[0], field => field[2..]);
        if (!fields['r'].StartsWith(_nonce, StringComparison.Ordinal) || fields['r'].Length == _nonce.Length)
        {
            throw new TestFailureException($"the server's nonce does not begin with ours, or adds nothing: {serverFirst}");
        }

        _salted = Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(password),
            Convert.FromBase64String(fields['s']),
            int.Parse(fields['i'], CultureInfo.InvariantCulture),
            HashAlgorithmName.SHA256,
            32);
        var withoutProof = $"c=biws,r={fields['r']}";
        _authMessage = $"{Bare},{serverFirst},{withoutProof}";
        var clientKey = Hmac(_salted, "Client Key");
        var signature = Hmac(SHA256.HashData(clientKey), _authMessage);
        var proof = clientKey.Zip(signature, (key, sign) => (byte)(key ^ sign)).ToArray();
        return Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}");
    }

    /// <summary>Whether the server knows the password's verifier too.</summary>
    public bool IsServer(byte[]? final) =>
        final is not null
        && Encoding.UTF8.GetString(final) == "v=" + Convert.ToBase64String(Hmac(Hmac(_salted, "Server Key"), _authMessage));

    private string Bare => $"n={user.Replace("=", "=3D").Replace(",", "=2C")},r={_nonce}";

    private static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
