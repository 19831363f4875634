namespace Broker.Grains.Storage;

/// <summary>The connection was lost between the request to commit and its answer.</summary>
internal sealed class CommitInDoubtException(string message, Exception? inner = null) : StoreException(message, inner);
