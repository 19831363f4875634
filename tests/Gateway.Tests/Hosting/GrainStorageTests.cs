using Orleans.Storage;

namespace Broker.Gateway.Tests.Hosting;

/// <summary>What state of grains may rely on, whichever store the broker has.</summary>
public abstract class GrainStorageTests : IAsyncLifetime
{
    protected const string StateName = "test.state";
    private const int Writers = 4;

    protected IGrainStorage Storage { get; private set; } = null!;

    public virtual async Task InitializeAsync() => Storage = await OpenAsync();

    public Task DisposeAsync() => CloseAsync();

    /// <summary>Opens the storage over what an earlier one has left.</summary>
    protected abstract Task<IGrainStorage> OpenAsync();

    protected abstract Task CloseAsync();

    /// <summary>Rows that there are.</summary>
    protected abstract Task<long> CountAsync();

    protected static GrainId Grain(string key) => GrainId.Create("test", key);

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

        Assert.Equal(40, await CountAsync());
    }

    [Fact]
    public async Task Who_has_read_an_older_version_does_not_overwrite_a_newer_one()
    {
        var grain = Grain("s:stale");
        var first = await ReadAsync(grain);
        Assert.False(first.RecordExists);
        first.State = [1];
        await Storage.WriteStateAsync(StateName, grain, first);
        var stale = await ReadAsync(grain);
        first.State = [2];
        await Storage.WriteStateAsync(StateName, grain, first);

        stale.State = [3];
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.WriteStateAsync(StateName, grain, stale));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.ClearStateAsync(StateName, grain, stale));
        Assert.Equal([2], (await ReadAsync(grain)).State);
    }

    [Fact]
    public async Task A_state_that_was_cleared_leaves_no_row_and_can_be_written_again()
    {
        var grain = Grain("s:cleared");
        var state = await ReadAsync(grain);
        state.State = [1];
        await Storage.WriteStateAsync(StateName, grain, state);
        await Storage.ClearStateAsync(StateName, grain, state);

        Assert.Equal(0, await CountAsync());
        var again = await ReadAsync(grain);
        Assert.False(again.RecordExists);
        again.State = [2];
        await Storage.WriteStateAsync(StateName, grain, again);
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

    [Fact]
    public async Task State_is_there_after_a_restart_and_only_its_latest_version_is_replaced()
    {
        var grain = Grain("s:kept");
        var state = await ReadAsync(grain);
        state.State = [1];
        await Storage.WriteStateAsync(StateName, grain, state);
        state.State = [1, 2];
        await Storage.WriteStateAsync(StateName, grain, state);

        await CloseAsync();
        Storage = await OpenAsync();

        var kept = await ReadAsync(grain);
        Assert.True(kept.RecordExists);
        Assert.Equal([1, 2], kept.State);
        kept.State = [3];
        await Storage.WriteStateAsync(StateName, grain, kept);
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.WriteStateAsync(StateName, grain, state));
    }

    [Fact]
    public async Task States_of_one_grain_are_told_apart_by_their_names()
    {
        var grain = Grain("s:two");
        Assert.True((await TryWriteAsync(grain, 1)).IsWritten);
        var other = new GrainState<List<int>>([2]);
        await Storage.WriteStateAsync("test.other", grain, other);
        await Storage.ClearStateAsync("test.other", grain, other);

        Assert.False(other.RecordExists);
        Assert.Equal([], other.State);
        Assert.Equal([1], (await ReadAsync(grain)).State);
    }

    protected async Task<(int Writer, bool IsWritten)> TryWriteAsync(GrainId grain, int writer)
    {
        try
        {
            await Storage.WriteStateAsync(StateName, grain, new GrainState<List<int>>([writer]));
            return (writer, true);
        }
        catch (InconsistentStateException)
        {
            return (writer, false);
        }
    }

    protected async Task<GrainState<List<int>>> ReadAsync(GrainId grain)
    {
        var state = new GrainState<List<int>>([]);
        await Storage.ReadStateAsync(StateName, grain, state);
        return state;
    }
}
