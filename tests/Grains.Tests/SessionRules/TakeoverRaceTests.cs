using System.Text;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>
/// A connection ends while another CONNECT of its client takes over: before, after and at the same moment. Whoever is first,
/// the new connection has the session, and the Will of the old one comes once or not at all, as its delay says.
/// </summary>
public sealed class TakeoverRaceTests
{
    private const int Races = 300;
    private const string Client = "c";

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(60u, 0)]
    public async Task Connection_that_ends_first_is_resumed(uint willDelay, int wills)
    {
        using var broker = NewBroker();
        var (watcher, session, epoch) = await StartAsync(broker, willDelay);
        broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, newExpiryInterval: 5);
        await TakeOverAsync(broker);
        Check(broker, session, epoch, watcher, wills);
    }

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(60u, 0)]
    public async Task End_of_a_connection_that_was_taken_over_changes_nothing(uint willDelay, int wills)
    {
        using var broker = NewBroker();
        var (watcher, session, epoch) = await StartAsync(broker, willDelay);
        await TakeOverAsync(broker);
        broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, newExpiryInterval: 0);
        Check(broker, session, epoch, watcher, wills);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(60u)]
    public async Task Client_that_was_sent_away_is_back_before_the_end_of_its_connection_and_has_not_died(uint willDelay)
    {
        using var broker = NewBroker();
        var (watcher, session, epoch) = await StartAsync(broker, willDelay, isSentAway: true);
        await TakeOverAsync(broker);
        broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.SentAway, newExpiryInterval: null);
        Check(broker, session, epoch, watcher, wills: 0);
    }

    [Fact]
    public async Task Client_that_was_sent_away_and_is_refused_has_the_usual_time_left()
    {
        using var broker = NewBroker();
        var (watcher, _, _) = await StartAsync(broker, willDelay: 0, isSentAway: true);
        var connecting = broker.Lifecycle.ConnectAsync(Client, Claim(cleanStart: false));
        broker.Store.Fail();
        await Assert.ThrowsAnyAsync<StoreException>(() => connecting);

        broker.Wills.Tick();
        Assert.Empty(watcher.Published);
        Assert.Equal(1, broker.Wills.DelayedCount);
    }

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(60u, 0)]
    public async Task Both_at_the_same_moment_end_in_one_of_the_two_orders(uint willDelay, int wills)
    {
        for (var race = 0; race < Races; race++)
        {
            using var broker = NewBroker();
            var (watcher, session, epoch) = await StartAsync(broker, willDelay);
            using var start = new Barrier(2);
            var ending = Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    Thread.SpinWait(race % 7 * 20);
                    broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, newExpiryInterval: 5);
                },
                TaskCreationOptions.LongRunning);
            start.SignalAndWait();
            Thread.SpinWait(race / 7 % 7 * 20);
            await TakeOverAsync(broker);
            await ending;
            Check(broker, session, epoch, watcher, wills);
        }
    }

    [Fact]
    public async Task Clean_start_at_the_same_moment_leaves_one_new_session_and_publishes_the_Will_once()
    {
        for (var race = 0; race < Races; race++)
        {
            using var broker = NewBroker();
            var (watcher, session, epoch) = await StartAsync(broker, willDelay: 60);
            using var start = new Barrier(2);
            var ending = Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    Thread.SpinWait(race % 7 * 20);
                    broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, newExpiryInterval: null);
                },
                TaskCreationOptions.LongRunning);
            start.SignalAndWait();
            Thread.SpinWait(race / 7 % 7 * 20);
            var (fresh, grant) = await broker.ConnectAsync(Client, Claim(cleanStart: true));
            await ending;
            broker.Store.Commit();

            Assert.NotSame(session, fresh);
            Assert.False(grant.SessionPresent);
            Assert.True(grant.Epoch > epoch);
            Assert.Equal(SessionState.Ended, session.State);
            Assert.True(fresh.Attach(new RecordingLink(), grant.Epoch, ushort.MaxValue));
            Assert.Single(watcher.Published);
            Assert.Empty(broker.Rows.Wills);
            Assert.Equal([fresh.Number], broker.Rows.Sessions.Values.Where(s => s.ClientId == Client).Select(s => s.Number));
        }
    }

    private static ModelBroker NewBroker() => new(new MemoryRows(), new SessionOptions(), TimeSpan.Zero);

    /// <summary>A connected client with a Will, and one that watches for it.</summary>
    private static async Task<(RecordingLink Watcher, Session Session, long Epoch)> StartAsync(ModelBroker broker, uint willDelay, bool isSentAway = false)
    {
        var (watching, granted) = await broker.ConnectAsync("watcher");
        watching.Subscribe("will", (byte)QualityOfService.AtMostOnce, 0, out _);
        var watcher = new RecordingLink();
        Assert.True(watching.Attach(watcher, granted.Epoch, ushort.MaxValue));

        var topic = Encoding.UTF8.GetBytes("will");
        var will = new WillClaim
        {
            Bytes = [.. topic, (byte)'1'], TopicLength = topic.Length, PropertiesLength = 0,
            Qos = QualityOfService.AtMostOnce, Retain = false, DelayInterval = willDelay,
        };
        var (session, grant) = await broker.ConnectAsync(Client, Claim(cleanStart: false) with { Will = will });
        Assert.True(session.Attach(new RecordingLink { IsSentAway = isSentAway }, grant.Epoch, ushort.MaxValue));
        return (watcher, session, grant.Epoch);
    }

    private static SessionClaim Claim(bool cleanStart) =>
        new() { CleanStart = cleanStart, ExpiryInterval = 3600, Version = ProtocolVersion.Mqtt5 };

    private static async Task TakeOverAsync(ModelBroker broker)
    {
        var (session, grant) = await broker.ConnectAsync(Client, Claim(cleanStart: false));
        Assert.True(grant.SessionPresent);
        Assert.True(session.Attach(new RecordingLink(), grant.Epoch, ushort.MaxValue));
    }

    private static void Check(ModelBroker broker, Session session, long epoch, RecordingLink watcher, int wills)
    {
        broker.Store.Commit();
        Assert.Same(session, broker.Sessions.Find(Client));
        Assert.True(session.IsConnected);
        Assert.Equal(epoch + 1, session.Epoch);
        Assert.Null(session.ExpiresAt);
        Assert.Equal(3600u, session.ExpiryInterval);
        Assert.Equal(wills, watcher.Published.Count);
        Assert.Equal(0, broker.Wills.DelayedCount);
        Assert.Empty(broker.Rows.Wills);
        var row = Assert.Single(broker.Rows.Sessions.Values, s => s.ClientId == Client);
        Assert.Equal((session.Epoch, (long?)null, 3600u), (row.Epoch, row.ExpiresAt, row.ExpiryInterval));
    }
}
