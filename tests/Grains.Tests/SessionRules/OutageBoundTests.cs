using System.Text;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Messages;
using Broker.Grains.Retained;
using Broker.Grains.Storage;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>While commits fail, clients that try again and again leave nothing in the writer's queue that has to succeed.</summary>
public sealed class OutageBoundTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Refused_connect_of_a_new_durable_session_leaves_nothing_to_be_deleted(bool cleanStart)
    {
        using var one = await SessionFixture.StartAsync();
        var claim = new SessionClaim { CleanStart = cleanStart, ExpiryInterval = 3600, Version = ProtocolVersion.Mqtt5 };
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var connecting = one.Broker.Lifecycle.ConnectAsync("new", claim);
            one.Broker.Store.Fail();
            await Assert.ThrowsAsync<StoreException>(() => connecting);
        }

        Assert.Equal(0, one.Broker.Store.Pending);
        Assert.Null(one.Broker.Sessions.Find("new"));
    }

    [Fact]
    public async Task Session_that_a_refused_clean_start_has_ended_is_deleted_once()
    {
        using var one = await SessionFixture.StartAsync();
        var claim = new SessionClaim { CleanStart = true, ExpiryInterval = 3600, Version = ProtocolVersion.Mqtt5 };
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var connecting = one.Broker.Lifecycle.ConnectAsync(SessionFixture.ClientId, claim);
            one.Broker.Store.Fail();
            await Assert.ThrowsAsync<StoreException>(() => connecting);
        }

        Assert.Equal(1, one.Broker.Store.Pending);
        one.Commit();
        Assert.Empty(one.Rows.Sessions);
    }

    [Fact]
    public async Task Refused_subscription_to_a_new_group_leaves_nothing_of_the_group()
    {
        using var one = await SessionFixture.StartAsync();
        one.Connect();
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var filter = $"$share/g{attempt}/t";
            var before = one.Session.Backup(filter);
            one.Session.Subscribe(filter, (byte)QualityOfService.AtLeastOnce, 0, out _, one.Epoch);
            var saving = one.Session.SaveSubscriptionsAsync([filter]);
            one.Broker.Store.Fail();
            await Assert.ThrowsAsync<StoreException>(() => saving);
            one.Session.PutBack(before, one.Epoch);
            one.Broker.Environment.Shared.Settled(one.Session, filter);
        }

        one.Broker.Store.Fail();
        Assert.Equal(0, one.Broker.Store.Pending);
        one.Commit();
        Assert.Equal(SessionFixture.ClientId, Assert.Single(one.Rows.Sessions.Values).ClientId);
    }

    [Fact]
    public async Task Group_that_ends_before_its_row_is_written_leaves_none()
    {
        using var one = await SessionFixture.StartAsync();
        one.Connect();
        const string Filter = "$share/g/t";
        one.Session.Subscribe(Filter, (byte)QualityOfService.AtLeastOnce, 0, out _);
        one.Session.Unsubscribe(Filter);
        one.Broker.Environment.Shared.Settled(one.Session, Filter);

        one.Commit();

        Assert.Equal(SessionFixture.ClientId, Assert.Single(one.Rows.Sessions.Values).ClientId);
    }

    [Fact]
    public async Task Replay_stops_after_so_many_pages_that_are_not_committed_and_goes_on_with_the_commit()
    {
        const int Topics = 3_000;
        using var one = await SessionFixture.StartAsync();
        var link = one.Connect();
        var taken = 0;
        for (var number = 1; number <= Topics; number++)
        {
            one.Broker.Retained.Set(Retained(number));
        }

        var subscription = one.Session.Subscribe("r/+", (byte)QualityOfService.AtLeastOnce, 0, out _)!;
        one.Session.AddReplay(new RetainedReplay(subscription, one.Broker.Retained.Match("r/+"), one.Broker.Retained.Version));
        one.Session.BeginReplays();

        // The client takes all it is given, and nothing is committed.
        TakeAll();
        var uncommitted = link.Published.Count;
        one.Broker.Store.Fail();
        TakeAll();
        Assert.Equal(uncommitted, link.Published.Count);
        Assert.InRange(uncommitted, 1_000, 1_100);

        while (one.Broker.Store.Pending > 0)
        {
            one.Commit();
            TakeAll();
        }

        Assert.Equal(Enumerable.Range(1, Topics), link.Numbers.Order());
        Assert.Empty(one.Rows.Deliveries);

        void TakeAll()
        {
            for (; taken < link.Published.Count; taken++)
            {
                one.Acknowledge(link, PacketType.PubAck, link.Published[taken].PacketId);
            }
        }
    }

    private static ApplicationMessage Retained(int number)
    {
        var topic = $"r/{number}";
        return new ApplicationMessage(Encoding.UTF8.GetBytes($"{topic}{number}"), topic.Length, 0)
        {
            Id = new MessageId(1, (ulong)number), Qos = QualityOfService.AtLeastOnce, Retain = true,
        };
    }
}
