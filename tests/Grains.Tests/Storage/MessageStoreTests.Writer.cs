using Broker.Grains.Storage;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <content>What the writer makes of the writes.</content>
public abstract partial class MessageStoreTests
{
    [Fact]
    public async Task A_delivery_put_and_deleted_in_one_batch_writes_nothing()
    {
        var session = await Store.NewSessionAsync("c");
        var number = Store.NextMessageNumber();
        var before = Metrics.RowsWritten;
        await Store.WriteAsync(batch =>
        {
            batch.PutMessage(number, Message(), 1);
            batch.PutDelivery(Delivery(session, 1, number));
            batch.SetReleased(session, 1);
            batch.DeleteDelivery(session, 1, number);
        });

        Assert.Equal(before, Metrics.RowsWritten);
    }

    [Fact]
    public async Task Writes_posted_during_a_commit_share_the_next_one()
    {
        using var gate = new ManualResetEventSlim();
        var before = Metrics.Commits;
        var writes = new List<TestWrite> { Store.PostWrite(_ => gate.Wait(TimeSpan.FromSeconds(30))) };
        for (var i = 0; i < 1000; i++)
        {
            writes.Add(Store.PostWrite(batch => batch.PutLastAlive(1)));
        }

        gate.Set();
        await Task.WhenAll(writes.Select(write => write.Done)).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.InRange(Metrics.Commits - before, 1, 2);
    }

    /// <summary>A row that the schema refuses: by default the number of a retained message that another one has.</summary>
    protected virtual void PutForbidden(IStoreBatch batch) => batch.PutRetained("b", 1, Message());

    [Fact]
    public async Task A_row_that_the_schema_forbids_fails_alone_and_is_no_outage()
    {
        using var gate = new ManualResetEventSlim();
        var first = Store.PostWrite(batch =>
        {
            gate.Wait(TimeSpan.FromSeconds(30));
            batch.PutRetained("a", 1, Message());
        });
        var clash = Store.PostWrite(PutForbidden, mustSucceed: true);
        var later = Store.PostWrite(batch => batch.PutRetained("c", 3, Message()));
        gate.Set();
        await first.Done;
        await Assert.ThrowsAnyAsync<StoreException>(() => clash.Done);
        await later.Done;

        Assert.True(Store.IsAvailable);
        Assert.Equal(["a", "c"], (await RestartAsync()).Retained.Select(row => row.Topic));
    }
}
