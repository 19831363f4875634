namespace Broker.Grains.Storage.Sqlite;

/// <summary>Names of the rows of table <c>meta</c>.</summary>
internal static class MetaNames
{
    /// <summary>When the broker was last known to run, milliseconds since 1970.</summary>
    public const string LastAlive = "last_alive";

    /// <summary>Above every message number in use.</summary>
    public const string MessageMark = "message_mark";

    /// <summary>Above every session number in use.</summary>
    public const string SessionMark = "session_mark";

    /// <summary>Written to find out whether the store has recovered.</summary>
    public const string Probe = "probe";
}
