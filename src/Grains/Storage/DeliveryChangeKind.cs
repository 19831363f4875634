namespace Broker.Grains.Storage;

/// <summary>Kinds of <see cref="DeliveryChange"/>.</summary>
internal enum DeliveryChangeKind : byte
{
    /// <summary>Insert or replace.</summary>
    Put,

    /// <summary>Delete, and let go of the message.</summary>
    Delete,

    /// <summary>Mark as released.</summary>
    Release,

    /// <summary>Put and deleted in the same batch: nothing to write, only a reference to give back.</summary>
    Annulled,
}
