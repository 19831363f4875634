using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>A commit whose answer was lost is reported as what it was, or not at all.</summary>
public sealed class PostgresDoubtTests : IAsyncLifetime, IAsyncDisposable
{
    private string _database = "";
    private LossyLink _link = null!;
    private PostgresMessageStore _store = null!;
    private long _session;

    public async Task InitializeAsync()
    {
        _database = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        _link = new LossyLink(_database);

        // Nothing waits out an outage: what is known to have failed is refused at once.
        var options = new PostgresStoreOptions { ConnectionString = _link.ConnectionString, IsShared = true, OutagePatience = TimeSpan.Zero };
        _store = new PostgresMessageStore(options, NullLogger<PostgresMessageStore>.Instance);
        await _store.OpenedAsync();
        _session = await _store.NewSessionAsync("c");
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _link.DisposeAsync();
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_reported_as_a_success()
    {
        var write = await CommittedUnansweredAsync();
        _link.Heal();

        await write.Done.WaitAsync(TimeSpan.FromSeconds(30));
        await EventuallyAsync(() => _store.IsAvailable, "the store recovers");
    }

    // The publisher of a QoS 2 message that is told of a failure publishes it anew, and who has taken the sessions over has
    // delivered it: it came twice (promise 2).
    [Fact]
    public async Task A_silo_that_was_shut_out_does_not_report_a_commit_whose_answer_was_lost_as_a_failure()
    {
        var write = await CommittedUnansweredAsync();
        await PostgresTestServer.ExecuteAsync(_database, "UPDATE broker_node SET owner = -owner");
        _link.Heal();

        // The first is the loss of the answer. Of the next two at least one was an attempt to find out.
        await EventuallyAsync(() => write.Done.IsCompleted || _store.Metrics.FailedCommits >= 3, "the store tries to find out");
        Assert.False(write.Done.IsCompleted, write.Done.Exception?.Message);
        Assert.False(_store.IsAvailable);
        await Assert.ThrowsAnyAsync<StoreException>(() => _store.WriteAsync(batch => batch.PutInboundId(_session, 6)));
        Assert.False(write.Done.IsCompleted, write.Done.Exception?.Message);
    }

    private async Task<TestWrite> CommittedUnansweredAsync()
    {
        _link.LoseAnswers();
        var write = _store.PostWrite(batch => batch.PutInboundId(_session, 5));
        await EventuallyAsync(
            () => PostgresTestServer.ScalarAsync<long>(_database, "SELECT count(*) FROM broker_inbound").Result == 1, "the row is there");
        Assert.False(write.Done.IsCompleted);
        return write;
    }
}
