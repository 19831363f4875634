namespace Broker.Grains.Storage;

/// <summary>
/// Another silo owns the session (promise 4). Thrown by <see cref="IStoreBatch.PutSession"/> where a row may not be replaced;
/// the write that called it is left out whole and completed with this error.
/// </summary>
public sealed class SessionFencedException(long session) : StoreException($"Another silo owns session {session}.")
{
    /// <summary>Number of the session.</summary>
    public long Session { get; } = session;
}
