using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>Who may connect. Section <c>Broker:Auth</c>.</summary>
public sealed class AuthOptions
{
    /// <summary>
    /// Whether clients may connect without proving who they are: from anywhere (true) or not at all (false).
    /// When it is not set, from this machine only.
    /// </summary>
    public bool? AllowAnonymous { get; set; }

    /// <summary>File of users and password hashes, one <c>name:hash</c> per line. When it is not set, <c>users</c> in the data folder.</summary>
    [AllowedText("a file")]
    public string? UsersFile { get; set; }

    /// <summary>
    /// Iterations of the SCRAM-SHA-256 verifier that <c>user add</c> writes beside the password hash. The work is the
    /// client's at every login; RFC 7677 asks for at least 4096.
    /// </summary>
    [Allowed("4096", "10000000")]
    public int ScramIterations { get; set; } = 100_000;
}
