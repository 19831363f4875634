namespace Broker.Tests.Support;

/// <summary>
/// How to run a program as somebody who may neither write where the mode forbids it nor open a low port. root gives these rights
/// up with setpriv (util-linux); everybody else has none of them.
/// </summary>
internal static class Rights
{
    private const string SetPrivileges = "/usr/bin/setpriv";

    private static readonly string[] GivenUp = ["-dac_override", "-dac_read_search", "-net_bind_service"];

    /// <summary>Command in front of the program.</summary>
    public static IReadOnlyList<string> Without { get; } =
        Environment.IsPrivilegedProcess ? [SetPrivileges, $"--bounding-set={string.Join(',', GivenUp)}"] : [];

    /// <summary>Why it cannot be done here; null when it can.</summary>
    public static string? Obstacle { get; } =
        Environment.IsPrivilegedProcess && !File.Exists(SetPrivileges) ? "root cannot give up rights: apt-get install util-linux" : null;
}
