using Broker.Gateway.Auth.Enhanced;

namespace Broker.Gateway.Auth;

/// <summary>What the users file has of one password.</summary>
/// <param name="Hash">For a password that comes in CONNECT.</param>
/// <param name="Scram">For SCRAM-SHA-256; null for a user who was added without.</param>
internal sealed record UserSecrets(PasswordHash Hash, ScramCredential? Scram);
