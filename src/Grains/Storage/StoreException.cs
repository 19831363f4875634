namespace Broker.Grains.Storage;

/// <summary>The store could not do what was asked; what a refused write is completed with.</summary>
public class StoreException : Exception
{
    /// <param name="message">One line, fit for a log.</param>
    public StoreException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>There is no room: other writes may still succeed, and this one may later.</summary>
    public virtual bool IsFull => false;
}
