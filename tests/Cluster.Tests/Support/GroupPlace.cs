using System.Globalization;
using Broker.Grains.Tests.Storage;

namespace Broker.Cluster.Tests.Support;

/// <summary>Which silo has the session of a shared subscription's group.</summary>
internal static class GroupPlace
{
    // A dead silo's sessions are taken over meanwhile, on a machine that has two cores for all of it.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Asks the database, which knows silos by numbers of their own: a probe on each silo tells whose they are.</summary>
    /// <param name="group">The whole filter.</param>
    public static async Task<int> OfAsync(LocalCluster cluster, string group)
    {
        var name = $"probe-{Guid.NewGuid():N}-";
        var probes = new List<ScriptedClient>();
        try
        {
            for (var silo = 0; silo < cluster.Silos.Count; silo++)
            {
                var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, string.Create(CultureInfo.InvariantCulture, $"{name}{silo}"), 60);
                probes.Add(await ScriptedClient.ConnectAsync(cluster.Silos[silo].Mqtt, options));
            }

            string? found = null;
            await Eventually.TrueAsync(
                async () => (found = await FindAsync(cluster.Database, group, name)) is not null,
                Limit,
                () => $"a living silo has {group}\n{cluster.Log}");
            return int.Parse(found![name.Length..], CultureInfo.InvariantCulture);
        }
        finally
        {
            foreach (var probe in probes)
            {
                await probe.DisposeAsync();
            }
        }
    }

    private static Task<string?> FindAsync(string database, string group, string probes) => PostgresTestServer.ScalarAsync<string?>(
        database,
        $"""
        SELECT probe.client_id FROM broker_session probe JOIN broker_session held USING (owner)
        WHERE held.client_id = '{group}' AND probe.client_id LIKE '{probes}%'
        """);
}
