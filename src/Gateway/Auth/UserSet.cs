using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.Auth.Enhanced;

namespace Broker.Gateway.Auth;

/// <summary>
/// One state of the users. A password that has been verified once is recognised by a keyed hash from then on, because a reconnect
/// storm of clients at 0.1 s each would keep the machine busy for minutes. The key lives in this object only.
/// </summary>
internal sealed class UserSet(IReadOnlyDictionary<string, UserSecrets> users)
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly Dictionary<string, User> _users = users.ToDictionary(
        entry => entry.Key, entry => new User(entry.Value), StringComparer.Ordinal);

    /// <summary>Number of users.</summary>
    public int Count => _users.Count;

    /// <summary>Whether there is a user of that name.</summary>
    public bool Contains(string name) => _users.ContainsKey(name);

    /// <summary>What SCRAM needs of a user; null when there is no such user, or nothing for SCRAM was stored.</summary>
    public ScramCredential? ScramOf(string name) => _users.GetValueOrDefault(name)?.Secrets.Scram;

    /// <summary>Whether this very password was verified before. False says nothing about the password.</summary>
    public bool IsVerified(string name, ReadOnlySpan<byte> password) =>
        _users.TryGetValue(name, out var user) && user.Verified is { } known &&
        CryptographicOperations.FixedTimeEquals(known, Digest(name, password));

    /// <summary>Verifies a password the long way and remembers success.</summary>
    public bool Verify(string name, ReadOnlySpan<byte> password)
    {
        if (!_users.TryGetValue(name, out var user) || !user.Secrets.Hash.Verify(password))
        {
            return false;
        }

        user.Verified = Digest(name, password);
        return true;
    }

    private byte[] Digest(string name, ReadOnlySpan<byte> password)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hash.AppendData(Encoding.UTF8.GetBytes(name));
        hash.AppendData([0]);
        hash.AppendData(password);
        return hash.GetHashAndReset();
    }

    private sealed class User(UserSecrets secrets)
    {
        public UserSecrets Secrets { get; } = secrets;

        public volatile byte[]? Verified;
    }
}
