namespace Broker.Grains.Storage;

/// <summary>What a writer knows of the stored sessions without asking the store.</summary>
internal interface IKnownSessions
{
    /// <summary>Whether the epoch owns the session, as far as is known.</summary>
    bool Owns(long session, long epoch);

    /// <summary>Whether the session may have a stored delivery with this sequence number; true when that is not known.</summary>
    bool MayHold(long session, long sequence);
}
