namespace Broker.Grains.Storage;

/// <summary>What a batch does to one delivery, after everything it said about it has been folded into one.</summary>
internal struct DeliveryChange
{
    /// <summary>The row to put; for the other kinds only its key and message count.</summary>
    public DeliveryRow Row;

    public DeliveryChangeKind Kind;

    /// <summary>The store may hold a row with this key, whose message loses a reference if the row goes.</summary>
    public bool MayExist;

    /// <summary>Position among the calls on the batch: a session deleted later takes it along.</summary>
    public int Order;
}
