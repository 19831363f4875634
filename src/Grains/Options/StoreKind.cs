namespace Broker.Grains.Options;

/// <summary>Where durable state lies.</summary>
public enum StoreKind
{
    /// <summary>A file of this broker alone.</summary>
    Sqlite,

    /// <summary>A PostgreSQL database that several silos share.</summary>
    Postgres,
}
