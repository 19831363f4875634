using Broker.Grains.Options;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>The in-flight window, packet ids, resume and timed retry.</summary>
public sealed class WindowRuleTests
{
    private const QualityOfService Qos1 = QualityOfService.AtLeastOnce;
    private const QualityOfService Qos2 = QualityOfService.ExactlyOnce;
    private const int PacketIds = 65_535;

    [Theory]
    [InlineData(3, 10, 3)]
    [InlineData(10, 2, 2)]
    public async Task Window_is_the_smaller_of_MaxInflight_and_Receive_Maximum(int maxInflight, int receiveMaximum, int window)
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxInflight = maxInflight }, durable: false);
        var link = one.Connect((ushort)receiveMaximum);

        one.Publish(Qos1, [.. Enumerable.Range(1, 12)]);

        Assert.Equal(window, link.Published.Count);
        Assert.Equal(Enumerable.Range(1, 12), one.Drain(link));
    }

    [Fact]
    public async Task QoS_2_holds_its_place_until_PUBCOMP()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxInflight = 1 }, durable: false);
        var link = one.Connect();
        one.Publish(Qos2, 1, 2);
        var first = Assert.Single(link.Published).PacketId;

        one.Acknowledge(link, PacketType.PubRec, first);
        Assert.Equal((PacketType.PubRel, first), Assert.Single(link.Acknowledged));
        Assert.Single(link.Published);

        one.Acknowledge(link, PacketType.PubComp, first);
        Assert.Equal([1, 2], link.Numbers);
    }

    // [MQTT-4.3.2-1] [MQTT-4.3.3-1]
    [Fact]
    public async Task Packet_id_in_use_is_not_given_again_MQTT_2_2_1_4()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxInflight = 2 }, durable: false);
        var link = one.Connect();
        one.Publish(Qos1, 1);
        var kept = link.Published[0].PacketId;
        for (var number = 2; number <= PacketIds; number++)
        {
            one.Publish(Qos1, number);
            one.Acknowledge(link, PacketType.PubAck, link.Published[^1].PacketId);
        }

        Assert.Equal(PacketIds, link.Published.Select(p => p.PacketId).Distinct().Count());
        one.Publish(Qos1, PacketIds + 1);
        Assert.Equal(PacketIds, link.Published.Count);

        one.Acknowledge(link, PacketType.PubAck, kept);
        Assert.Equal((PacketIds + 1, kept), (link.Published[^1].Number, link.Published[^1].PacketId));
    }

    [Fact]
    public async Task Resume_sends_PUBREL_then_in_flight_with_DUP_then_the_queue_MQTT_4_4_0_1()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxInflight = 3 });
        var link = one.Connect();
        one.Publish(Qos2, 1);
        one.Publish(Qos1, 2, 3, 4);
        one.Commit();
        Assert.Equal([1, 2, 3], link.Numbers.Order());
        var released = link.Published.Single(p => p.Number == 1).PacketId;
        one.Acknowledge(link, PacketType.PubRec, released);
        one.Commit();

        var second = await one.ReconnectAsync();

        Assert.Equal(ReasonCode.SessionTakenOver, link.ClosedWith);
        Assert.Equal((PacketType.PubRel, released), Assert.Single(second.Acknowledged));
        var before = link.Published.Where(p => p.Number != 1).Select(p => (p.Number, p.PacketId, true));
        Assert.Equal(before, second.Published.Select(p => (p.Number, p.PacketId, p.Dup)));

        one.Acknowledge(second, PacketType.PubComp, released);
        Assert.Equal((4, false), (second.Published[^1].Number, second.Published[^1].Dup));
    }

    [Fact]
    public async Task Timed_retry_repeats_with_DUP_and_the_same_id_and_repeats_PUBREL()
    {
        using var one = await SessionFixture.StartAsync(durable: false);
        var link = one.Connect();
        one.Publish(Qos1, 1);
        one.Publish(Qos2, 2);
        var (first, second) = (link.Published[0].PacketId, link.Published[1].PacketId);
        one.Acknowledge(link, PacketType.PubRec, second);

        one.Session.RetryUnacknowledged(TimeSpan.FromHours(1));
        Assert.Equal(2, link.Published.Count);

        one.Session.RetryUnacknowledged(TimeSpan.Zero);
        Assert.Equal((1, first, true), (link.Published[^1].Number, link.Published[^1].PacketId, link.Published[^1].Dup));
        Assert.Equal(3, link.Published.Count);
        Assert.Equal([(PacketType.PubRel, second), (PacketType.PubRel, second)], link.Acknowledged);
        Assert.Equal(0, one.Broker.Dropped);
    }
}
