namespace Broker.Grains.Storage;

/// <summary>
/// The batch was built on an answer that the store has disproved (another silo owns a session). Nothing of it is stored; built
/// again it comes out right.
/// </summary>
internal sealed class StaleBatchException(string message) : StoreException(message);
