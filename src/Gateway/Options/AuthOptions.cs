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
}
