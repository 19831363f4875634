using Broker.Gateway.Hosting;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Serialization;
using Orleans.Storage;

namespace Broker.Gateway.Tests.Hosting;

/// <summary>State of grains as items of the embedded store.</summary>
public sealed class StoreGrainStorageTests : GrainStorageTests, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();
    private SqliteMessageStore _store = null!;

    public void Dispose()
    {
        _services.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Write_that_the_store_refuses_fails_with_its_error_and_can_be_tried_again()
    {
        var grain = Grain("s:refused");
        var state = await ReadAsync(grain);
        state.State = [1];
        await Storage.WriteStateAsync(StateName, grain, state);
        await ExecuteAsync("CREATE TRIGGER refusal BEFORE INSERT ON item BEGIN SELECT RAISE(ABORT, 'no room'); END");

        state.State = [2];
        var refused = await Assert.ThrowsAnyAsync<StoreException>(() => Storage.WriteStateAsync(StateName, grain, state));
        Assert.Contains("no room", refused.Message, StringComparison.Ordinal);
        Assert.Equal([1], (await ReadAsync(grain)).State);

        await ExecuteAsync("DROP TRIGGER refusal");
        await Storage.WriteStateAsync(StateName, grain, state);
        Assert.Equal([2], (await ReadAsync(grain)).State);
    }

    [Fact]
    public async Task Version_of_a_row_that_was_cleared_does_not_come_back_with_the_next_row()
    {
        var grain = Grain("s:again");
        var state = new GrainState<List<int>>([1]);
        await Storage.WriteStateAsync(StateName, grain, state);
        var stale = await ReadAsync(grain);
        await Storage.ClearStateAsync(StateName, grain, state);
        state.State = [2];
        await Storage.WriteStateAsync(StateName, grain, state);

        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.WriteStateAsync(StateName, grain, stale));
    }

    [Fact]
    public async Task Grain_that_is_busy_keeps_nobody_else_from_the_store()
    {
        var grain = Grain("s:busy");
        var patience = TimeSpan.FromSeconds(30);
        using var isDone = new ManualResetEventSlim();
        var hasBegun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var scheduler = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;
        var busy = Task.Factory.StartNew(
            () =>
            {
                var write = TryWriteAsync(grain, 1);
                hasBegun.SetResult();
                Assert.True(isDone.Wait(patience));
                return write;
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, scheduler);

        await hasBegun.Task;
        var others = Enumerable.Range(0, 200).Select(i => TryWriteAsync(Grain($"s:other-{i}"), i));
        Assert.All(await Task.WhenAll(others).WaitAsync(patience), static o => Assert.True(o.IsWritten));
        isDone.Set();

        Assert.True((await await busy).IsWritten);
    }

    protected override async Task<IGrainStorage> OpenAsync()
    {
        _store = new SqliteMessageStore(
            new SqliteStoreOptions { Path = _folder.File("broker.db") }, NullLogger<SqliteMessageStore>.Instance);
        await _store.OpenAsync(CancellationToken.None);
        return ActivatorUtilities.CreateInstance<StoreGrainStorage>(_services, _store);
    }

    protected override Task CloseAsync() => _store.DisposeAsync().AsTask();

    protected override async Task<long> CountAsync() => (await _store.LoadItemsAsync($"grain:{StateName}", CancellationToken.None)).Count;

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={_folder.File("broker.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = new SqliteCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
