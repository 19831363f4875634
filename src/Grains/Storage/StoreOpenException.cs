namespace Broker.Grains.Storage;

/// <summary>The store cannot be opened. The message is one line that says what is wrong and what to do.</summary>
public sealed class StoreOpenException : StoreException
{
    public StoreOpenException(StoreOpenFailure failure, string message, Exception? inner = null)
        : base(message, inner) => Failure = failure;

    /// <summary>For an exit code or a test; people read <see cref="Exception.Message"/>.</summary>
    public StoreOpenFailure Failure { get; }
}
