using System.Net;
using System.Net.Sockets;
using Broker.Gateway.Hosting;
using Broker.Grains.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Storage;

namespace Broker.Gateway.Tests.Hosting;

/// <summary>State of grains in PostgreSQL, through the provider and the SQL of <c>deploy/sql</c>.</summary>
public sealed class GrainStorageTests : IAsyncLifetime
{
    private const string StateName = "test.state";
    private const int Writers = 4;

    private string _database = "";
    private IHost _silo = null!;
    private IGrainStorage _storage = null!;

    public async Task InitializeAsync()
    {
        _database = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        try
        {
            await StartSiloAsync();
        }
        catch (Exception failure) when (failure.GetBaseException() is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
        {
            // Somebody else was given the port between its choice and its use.
            _silo.Dispose();
            await StartSiloAsync();
        }

        _storage = _silo.Services.GetRequiredService<IGrainStorage>();
    }

    public async Task DisposeAsync()
    {
        await _silo.StopAsync();
        _silo.Dispose();
    }

    [Fact]
    public async Task Of_several_first_writers_one_wins_and_the_others_are_told_that_their_state_is_inconsistent()
    {
        for (var round = 0; round < 40; round++)
        {
            var grain = Grain($"s:first-{round}");
            var outcomes = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => TryWriteAsync(grain, writer))));

            var winner = Assert.Single(outcomes, static o => o.IsWritten).Writer;
            Assert.Equal([winner], (await ReadAsync(grain)).State);
        }

        Assert.Equal(40, await PostgresTestServer.ScalarAsync<long>(_database, "SELECT count(*) FROM broker_grain_state"));
    }

    [Fact]
    public async Task Who_has_read_an_older_version_does_not_overwrite_a_newer_one()
    {
        var grain = Grain("s:stale");
        var first = await ReadAsync(grain);
        Assert.False(first.RecordExists);
        first.State = [1];
        await _storage.WriteStateAsync(StateName, grain, first);
        var stale = await ReadAsync(grain);
        first.State = [2];
        await _storage.WriteStateAsync(StateName, grain, first);

        stale.State = [3];
        await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.WriteStateAsync(StateName, grain, stale));
        await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.ClearStateAsync(StateName, grain, stale));
        Assert.Equal([2], (await ReadAsync(grain)).State);
    }

    [Fact]
    public async Task A_state_that_was_cleared_leaves_no_row_and_can_be_written_again()
    {
        var grain = Grain("s:cleared");
        var state = await ReadAsync(grain);
        state.State = [1];
        await _storage.WriteStateAsync(StateName, grain, state);
        await _storage.ClearStateAsync(StateName, grain, state);

        Assert.Equal(0, await PostgresTestServer.ScalarAsync<long>(_database, "SELECT count(*) FROM broker_grain_state"));
        var again = await ReadAsync(grain);
        Assert.False(again.RecordExists);
        again.State = [2];
        await _storage.WriteStateAsync(StateName, grain, again);
        Assert.Equal([2], (await ReadAsync(grain)).State);
    }

    [Fact]
    public async Task Names_and_keys_of_any_length_are_told_apart()
    {
        List<GrainId> grains = [Grain("s:a"), Grain("s:A"), Grain("s:" + new string('x', 5000)), Grain("s:" + new string('x', 5000) + "y")];
        for (var i = 0; i < grains.Count; i++)
        {
            Assert.True((await TryWriteAsync(grains[i], i)).IsWritten);
        }

        for (var i = 0; i < grains.Count; i++)
        {
            Assert.Equal([i], (await ReadAsync(grains[i])).State);
        }
    }

    private async Task<(int Writer, bool IsWritten)> TryWriteAsync(GrainId grain, int writer)
    {
        try
        {
            await _storage.WriteStateAsync(StateName, grain, new GrainState<List<int>>([writer]));
            return (writer, true);
        }
        catch (InconsistentStateException)
        {
            return (writer, false);
        }
    }

    private async Task<GrainState<List<int>>> ReadAsync(GrainId grain)
    {
        var state = new GrainState<List<int>>([]);
        await _storage.ReadStateAsync(StateName, grain, state);
        return state;
    }

    private static GrainId Grain(string key) => GrainId.Create("test", key);

    private async Task StartSiloAsync()
    {
        _silo = new HostBuilder()
            .UseOrleans(silo => silo.UseLocalhostClustering(FreePort(), gatewayPort: 0).AddGrainStorage(_database))
            .Build();
        await _silo.StartAsync();
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
