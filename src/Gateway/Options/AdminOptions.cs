using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>
/// The administrator of the HTTP side. Without one, everything but health is refused to other machines.
/// With one, everything but health asks for it, from everywhere. An empty value counts as not set: it is what a variable that nobody has
/// filled in leaves, and must not become a name that everybody knows. Section <c>Broker:Admin</c>.
/// </summary>
public sealed class AdminOptions
{
    /// <summary>Name for HTTP Basic. Takes a <see cref="Password"/>.</summary>
    [AllowedText("a name without a colon, together with Password")]
    public string? User { get; set => field = Filled(value); }

    /// <summary>Password for HTTP Basic. Better given by environment or file than on the command line, which others can read.</summary>
    [Secret, AllowedText("a password, together with User")]
    public string? Password { get; set => field = Filled(value); }

    /// <summary>Token for <c>Authorization: Bearer</c>, at least 16 characters. May stand beside user and password.</summary>
    [Secret, AllowedText("at least 16 characters")]
    public string? Token { get; set => field = Filled(value); }

    /// <summary>Whether any administrator is configured.</summary>
    internal bool IsConfigured => User is not null || Token is not null;

    private static string? Filled(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
