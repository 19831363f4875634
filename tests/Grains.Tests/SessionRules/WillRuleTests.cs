using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Wills;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>When a Will is published, and when not (MQTT 5.0 section 3.1.2.5).</summary>
public sealed class WillRuleTests
{
    private const int WillNumber = 9;

    [Fact]
    public async Task Lost_connection_publishes_it_once_MQTT_3_1_2_8()
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, epoch) = await ClaimAsync(one);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, null);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, null);
        one.Commit();

        Assert.Equal([WillNumber], listener.Numbers);
        Assert.Empty(one.Rows.Wills);
    }

    [Fact]
    public async Task DISCONNECT_withdraws_it_MQTT_3_1_2_10()
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, epoch) = await ClaimAsync(one);
        Assert.Single(one.Rows.Wills);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Disconnect, null);
        one.Commit();

        Assert.Empty(listener.Published);
        Assert.Empty(one.Rows.Wills);
    }

    [Fact]
    public async Task Stop_of_the_broker_leaves_it_for_the_restart()
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, epoch) = await ClaimAsync(one);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.SentAway, null);
        one.Commit();

        Assert.Empty(listener.Published);
        Assert.Single(one.Rows.Wills);
    }

    [Fact]
    public async Task Client_that_is_back_within_the_delay_is_not_dead_MQTT_3_1_3_9()
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, epoch) = await ClaimAsync(one, delay: 60);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, null);
        Assert.Equal(1, one.Broker.Wills.DelayedCount);

        await ClaimAsync(one, delay: 60);
        Assert.Equal(0, one.Broker.Wills.DelayedCount);
        Assert.Empty(listener.Published);
    }

    [Fact]
    public async Task Client_that_is_back_without_a_Will_leaves_no_row_that_a_restart_would_publish()
    {
        using var one = await SessionFixture.StartAsync();
        var (session, epoch) = await ClaimAsync(one, delay: 60);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, null);
        one.Commit();
        Assert.Single(one.Rows.Wills);

        await one.Broker.ConnectAsync("mortal");
        Assert.Empty(one.Rows.Wills);
    }

    [Fact]
    public async Task Will_that_falls_due_while_the_store_refuses_is_published_once_it_does_not()
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, epoch) = await ClaimAsync(one);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, null);
        one.Broker.Store.Fail();
        Assert.Single(one.Rows.Wills);

        one.Commit();
        Assert.Empty(one.Rows.Wills);
        Assert.Equal([WillNumber], listener.Numbers);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(60, 0)]
    public async Task Takeover_publishes_it_unless_it_has_a_delay(int delay, int published)
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        await ClaimAsync(one, (uint)delay);
        await ClaimAsync(one, (uint)delay);
        one.Commit();

        Assert.Equal(published, listener.Published.Count);
        Assert.Single(one.Rows.Wills);
    }

    [Fact]
    public async Task End_of_the_session_does_not_wait_for_the_delay()
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, epoch) = await ClaimAsync(one, delay: 60);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, newExpiryInterval: 0);
        one.Commit();

        Assert.Equal([WillNumber], listener.Numbers);
    }

    [Theory]
    [InlineData(false, 3600)]
    [InlineData(true, 3600)]
    [InlineData(false, 0)]
    public async Task Client_that_a_stopping_broker_sent_away_and_that_is_back_has_not_died(bool cleanStart, int expiry)
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, epoch) = await ClaimAsync(one, expiry: (uint)expiry);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.SentAway, null);
        one.Commit();
        Assert.Equal(1, one.Broker.Wills.DelayedCount);

        await one.Broker.ConnectAsync("mortal", cleanStart);
        one.Broker.Wills.Tick();
        one.Commit();
        Assert.Equal(0, one.Broker.Wills.DelayedCount);
        Assert.Empty(listener.Published);
        Assert.Empty(one.Rows.Wills);
    }

    [Theory]
    [InlineData(true, true, 1)]
    [InlineData(true, false, 1)]
    [InlineData(false, true, 0)]
    [InlineData(false, false, 0)]
    public async Task Delay_ends_when_a_clean_start_on_another_silo_ends_the_session_MQTT_3_1_2_8(bool cleanStart, bool isConnected, int published)
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, epoch) = await ClaimAsync(one, delay: 60);
        if (!isConnected)
        {
            one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.Lost, null);
            one.Commit();
        }

        Assert.Same(session, one.Broker.Lifecycle.Depart("mortal", cleanStart));
        one.Commit();
        Assert.Equal(published, listener.Published.Count);
        Assert.Empty(one.Rows.Wills);
    }

    [Fact]
    public async Task Will_that_comes_to_a_session_which_departs_already_goes_when_it_is_asked_for_again()
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, _) = await ClaimAsync(one, delay: 60);
        var will = session.Will!;
        Assert.Same(session, one.Broker.Lifecycle.Depart("mortal"));
        one.Broker.Wills.Delay(new DelayedWill(will, long.MaxValue, IsLeftByBroker: true));

        Assert.Same(session, one.Broker.Lifecycle.Depart("mortal"));
        one.Commit();
        Assert.Equal(0, one.Broker.Wills.DelayedCount);
        Assert.Empty(listener.Published);
        Assert.Empty(one.Rows.Wills);
    }

    [Fact]
    public async Task Client_that_was_sent_away_may_be_back_on_another_silo()
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, epoch) = await ClaimAsync(one, expiry: 0);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.SentAway, null);
        one.Commit();

        Assert.Null(one.Broker.Lifecycle.Depart("mortal"));
        one.Commit();
        Assert.Empty(listener.Published);
        Assert.Empty(one.Rows.Wills);
    }

    [Fact]
    public async Task Client_that_was_sent_away_and_whose_session_ends_before_it_is_back_has_died_MQTT_3_1_2_8()
    {
        using var one = await SessionFixture.StartAsync();
        var listener = one.Connect();
        var (session, epoch) = await ClaimAsync(one, delay: 60);
        one.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.SentAway, null);
        one.Broker.Wills.SessionEnded("mortal");
        one.Commit();

        Assert.Equal([WillNumber], listener.Numbers);
        Assert.Empty(one.Rows.Wills);
    }

    [Theory]
    [InlineData(false, 0, 0)]
    [InlineData(true, 0, 0)]
    [InlineData(false, 3600, 1)]
    [InlineData(true, 3600, 1)]
    public async Task Session_that_ended_with_the_broker_has_no_delay_to_wait_for(bool wasStopped, int expiry, int waiting)
    {
        using var before = await SessionFixture.StartAsync();
        var (session, epoch) = await ClaimAsync(before, delay: 3600, expiry: (uint)expiry);
        if (wasStopped)
        {
            before.Broker.Lifecycle.ConnectionEnded(session, epoch, EndCause.SentAway, null);
            before.Commit();
        }

        using var after = SessionFixture.Restart(before, new SessionOptions { WillGraceAfterRestart = TimeSpan.Zero });
        after.Broker.Wills.Tick();
        after.Commit();

        Assert.Equal((waiting, waiting), (after.Broker.Wills.DelayedCount, after.Rows.Wills.Count));
        Assert.Equal(waiting == 0 ? [WillNumber] : [], after.Drain(await after.ReconnectAsync()));
    }

    [Fact]
    public async Task Session_that_ended_with_the_broker_leaves_its_client_the_grace_all_the_same()
    {
        using var before = await SessionFixture.StartAsync();
        await ClaimAsync(before, delay: 3600, expiry: 0);
        using var after = SessionFixture.Restart(before);
        after.Broker.Wills.Tick();

        Assert.Equal(1, after.Broker.Wills.DelayedCount);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task Refused_CONNECT_that_ends_a_session_whose_client_was_sent_away_ends_the_delay(bool cleanStart, int waiting)
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { WillGraceAfterRestart = TimeSpan.Zero });
        var (session, epoch) = await ClaimAsync(one, delay: 60);
        Assert.True(session.Attach(new RecordingLink { IsSentAway = true }, epoch, ushort.MaxValue));
        var claim = new SessionClaim { CleanStart = cleanStart, ExpiryInterval = 3600, Version = ProtocolVersion.Mqtt5 };
        var connecting = one.Broker.Lifecycle.ConnectAsync("mortal", claim);
        while (!connecting.IsCompleted)
        {
            one.Broker.Store.Fail();
            await Task.WhenAny(connecting, Task.Delay(1));
        }

        await Assert.ThrowsAsync<StoreException>(() => connecting);
        one.Broker.Wills.Tick();
        Assert.Equal(waiting, one.Broker.Wills.DelayedCount);
    }

    private static async Task<(Session Session, long Epoch)> ClaimAsync(SessionFixture one, uint delay = 0, uint expiry = 3600)
    {
        var will = new WillClaim
        {
            Bytes = [(byte)'w', (byte)('0' + WillNumber)], TopicLength = 1, PropertiesLength = 0,
            Qos = QualityOfService.AtLeastOnce, Retain = false, DelayInterval = delay,
        };
        var (session, grant) = await one.Broker.ConnectAsync("mortal", new SessionClaim
        {
            CleanStart = false, ExpiryInterval = expiry, Version = ProtocolVersion.Mqtt5, Will = will,
        });
        return (session, grant.Epoch);
    }
}
