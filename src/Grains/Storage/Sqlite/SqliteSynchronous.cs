namespace Broker.Grains.Storage.Sqlite;

/// <summary>SQLite's <c>synchronous</c> setting, as far as it makes sense with a write-ahead log.</summary>
public enum SqliteSynchronous
{
    /// <summary>No sync at all: survives the death of the process, not that of the machine.</summary>
    Off = 0,

    /// <summary>Syncs at checkpoints only: what was acknowledged since the last one is lost with the machine's power.</summary>
    Normal = 1,

    /// <summary>Every commit is synced before it is acknowledged.</summary>
    Full = 2,
}
