using Orleans.Providers;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;
using Orleans.Storage;

namespace Broker.Gateway.Hosting;

/// <summary>
/// Where grains that have state keep it: rows of the cluster's database, see <c>deploy/sql/070-grain-state.sql</c>, or items of the
/// embedded store, see <see cref="StoreGrainStorage"/>. The broker's own grains have none (decision 0002); it is there for grains of
/// extensions.
/// </summary>
internal static class GrainStorage
{
    /// <summary>Registers a database as the default storage of the silo.</summary>
    public static ISiloBuilder AddGrainStorage(this ISiloBuilder silo, string connectionString)
    {
        silo.AddAdoNetGrainStorageAsDefault(builder => builder.Configure<Serializer>((options, serializer) =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = connectionString;

            // Tagged members, as between silos: two versions of a state can be read beside each other.
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);

            // A row of a grain that has cleared its state would stay for ever.
            options.DeleteStateOnClear = true;
        }));
        return silo;
    }

    /// <summary>Registers the embedded store as the default storage of the silo.</summary>
    public static ISiloBuilder AddGrainStorage(this ISiloBuilder silo)
    {
        silo.Services.AddGrainStorage(
            ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME,
            static (services, _) => ActivatorUtilities.CreateInstance<StoreGrainStorage>(services));
        return silo;
    }
}
