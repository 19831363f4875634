using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>QoS 2 from the client: routed once, remembered until PUBREL (FEATURES 1.8, MQTT section 4.3.3).</summary>
public sealed class InboundRuleTests
{
    [Fact]
    public async Task Second_PUBLISH_with_the_same_id_is_a_duplicate_until_PUBREL()
    {
        using var one = await SessionFixture.StartAsync(durable: false);
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(7, out _));
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(7, out _));

        Assert.True(one.Session.ReleaseInbound(7, static () => { }));
        Assert.False(one.Session.ReleaseInbound(7, static () => { }));
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(7, out _));
    }

    [Fact]
    public async Task Refused_PUBLISH_is_not_a_duplicate_when_it_comes_again()
    {
        using var one = await SessionFixture.StartAsync();
        one.Session.BeginInbound(7, out _);
        one.Session.CancelInbound(7);
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(7, out _));
    }

    [Fact]
    public async Task MaxAwaitingRel_ids_wait_and_no_more()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxAwaitingRel = 2 }, durable: false);
        one.Session.BeginInbound(1, out _);
        one.Session.BeginInbound(2, out _);
        Assert.Equal(InboundStatus.TooMany, one.Session.BeginInbound(3, out _));
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(2, out _));
    }

    [Fact]
    public async Task Id_is_forgotten_after_AwaitRelTimeout_when_its_place_is_needed()
    {
        var options = new SessionOptions { MaxAwaitingRel = 1, AwaitRelTimeout = TimeSpan.FromMilliseconds(1) };
        using var one = await SessionFixture.StartAsync(options, durable: false);
        var begun = Environment.TickCount64;
        one.Session.BeginInbound(1, out _);
        SpinWait.SpinUntil(() => Environment.TickCount64 > begun + 50);

        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(2, out _));
    }

    [Fact]
    public async Task PUBCOMP_of_a_durable_session_waits_for_the_commit_however_often_PUBREL_comes()
    {
        using var one = await SessionFixture.StartAsync();
        one.Session.BeginInbound(7, out _);
        var completed = 0;
        Assert.True(one.Session.ReleaseInbound(7, () => completed++));
        Assert.True(one.Session.ReleaseInbound(7, () => completed++));
        Assert.Equal(0, completed);

        one.Commit();
        Assert.Equal(1, completed);
        Assert.False(one.Session.ReleaseInbound(7, static () => { }));
    }
}
