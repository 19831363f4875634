namespace Broker.Grains.Options;

/// <summary>When a commit of the store counts as durable.</summary>
public enum StoreSynchronous
{
    /// <summary>When the disk says so: survives power loss.</summary>
    Full,

    /// <summary>When the operating system has it: survives the death of the process, not of the machine.</summary>
    Normal,
}
