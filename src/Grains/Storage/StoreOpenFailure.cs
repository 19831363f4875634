namespace Broker.Grains.Storage;

/// <summary>Why a store could not be opened.</summary>
public enum StoreOpenFailure
{
    /// <summary>Its folder or file cannot be created or written.</summary>
    NotWritable,

    /// <summary>Another broker uses it.</summary>
    Held,

    /// <summary>A newer version of the broker wrote it.</summary>
    NewerSchema,

    /// <summary>The file is damaged, or is no database.</summary>
    Corrupt,

    /// <summary>Its server does not answer, or is just starting or stopping: it may do so later.</summary>
    Unreachable,

    /// <summary>Its server refuses the user or the database.</summary>
    Refused,
}
