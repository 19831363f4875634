namespace Broker.Grains.Storage;

/// <summary>A unit of writing that becomes durable whole or not at all.</summary>
public abstract class StoreWrite
{
    /// <summary>Rough size in bytes, for the limit on what is posted and uncommitted.</summary>
    public virtual int Bytes => 64;

    /// <summary>
    /// Rows that it will change, about, where that may be many and <see cref="Bytes"/> does not tell: a transaction takes its time by its
    /// rows. Read on the writer's thread when it is about to be added.
    /// </summary>
    public virtual int Rows => 1;

    /// <summary>
    /// True for writes that only let go of something (an acknowledgement deletes a row): a failed commit keeps them and
    /// tries them again, because nobody is left to repeat them. False: a failed commit reports them as failed.
    /// </summary>
    public virtual bool MustSucceed => false;

    /// <summary>Adds its rows. Called on the writer's thread, in the order of posting; again if it is tried again.</summary>
    public abstract void AddTo(IStoreBatch batch);

    /// <summary>
    /// What <see cref="AddTo"/> added was thrown away; either it is called again, or <see cref="Complete"/> with an error.
    /// A write whose <see cref="AddTo"/> changes something that other writes look at takes that back here. Called on the
    /// writer's thread, the last added first; must not throw.
    /// </summary>
    public virtual void Retract()
    {
    }

    /// <summary>
    /// Called once, on the writer's thread unless it is refused before: <paramref name="error"/> is null when the commit is durable.
    /// Must be short and must not throw.
    /// </summary>
    public virtual void Complete(Exception? error)
    {
    }
}
