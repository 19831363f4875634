using System.Diagnostics;

namespace Broker.Tests.T07_Will;

public sealed class WillDelayTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Fact]
    public async Task Will_waits_for_its_delay_MQTT_3_1_3_9()
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic());
        var client = await ConnectAsync(WithDelay(delay: 2, expiry: 60));
        var clock = Stopwatch.StartNew();

        client.Abort();
        await watcher.ExpectPublishAsync(Topic(), "gone");

        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(1.9), $"{clock.Elapsed}");
    }

    [Fact]
    public async Task Will_is_not_published_when_the_client_returns_in_time_MQTT_3_1_3_9()
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic());
        var options = WithDelay(delay: 4, expiry: 60);
        (await ConnectAsync(options)).Abort();

        await ConnectAsync(options with { Clean = false, Will = null });

        await watcher.ExpectNothingAsync(TimeSpan.FromSeconds(6));
    }

    [Fact]
    public async Task Will_comes_with_the_end_of_the_session_when_that_is_sooner_than_the_delay()
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic());
        var client = await ConnectAsync(WithDelay(delay: 60, expiry: 1));

        client.Abort();

        await watcher.ExpectPublishAsync(Topic(), "gone");
    }

    [Fact]
    public async Task Will_comes_at_once_when_a_clean_start_ends_the_session()
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic());
        var options = WithDelay(delay: 60, expiry: 60);
        (await ConnectAsync(options)).Abort();

        await ConnectAsync(options with { Clean = true, Will = null });

        await watcher.ExpectPublishAsync(Topic(), "gone");
    }

    [Fact]
    public async Task Takeover_of_a_continued_session_with_delay_publishes_no_will()
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic());
        var options = WithDelay(delay: 60, expiry: 60);
        await ConnectAsync(options);

        await ConnectAsync(options with { Clean = false, Will = null });

        await watcher.ExpectNothingAsync();
    }

    [Fact]
    public async Task Takeover_without_delay_publishes_the_will()
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic());
        var options = WithDelay(delay: 0, expiry: 60);
        await ConnectAsync(options);

        await ConnectAsync(options with { Clean = false, Will = null });

        await watcher.ExpectPublishAsync(Topic(), "gone");
    }

    private ConnectOptions WithDelay(uint delay, uint expiry) => new()
    {
        ClientId = Id("will"),
        Will = new Will(Topic(), "gone", 1) { Properties = new() { { Prop.WillDelayInterval, delay } } },
        Properties = new() { { Prop.SessionExpiryInterval, expiry } },
    };
}
