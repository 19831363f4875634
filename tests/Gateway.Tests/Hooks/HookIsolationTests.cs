using System.Collections.Concurrent;
using System.Diagnostics;
using Broker.Grains.Hooks;
using Broker.Protocol;
using Broker.TestKit;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>A hook that throws or hangs costs itself, and nobody else.</summary>
public sealed class HookIsolationTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(HookFailure.Open, ReasonCode.NoMatchingSubscribers)]
    [InlineData(HookFailure.Closed, ReasonCode.ImplementationSpecificError)]
    public async Task Hook_that_throws_counts_as_registered(HookFailure failure, ReasonCode expected)
    {
        foreach (var neverBlocks in (bool[])[false, true])
        {
            await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(
                new PublishHook(_ => throw new InvalidOperationException("a defect")) { OnFailure = failure, NeverBlocks = neverBlocks }));
            await using var client = await ScriptedClient.ConnectAsync(broker.Mqtt);

            await client.SendPublishAsync("t", "x", 1, id: 1);

            Assert.Equal(expected, (await client.ExpectAsync(PacketType.PubAck, 1)).Reason);
        }
    }

    [Fact]
    public async Task Hook_that_hangs_in_its_thread_holds_up_a_publish_for_its_time_limit_and_other_clients_not_at_all()
    {
        using var release = new ManualResetEventSlim();
        var hook = new PublishHook(m =>
        {
            if (m.Topic == "slow")
            {
                release.Wait();
            }

            return PublishVerdict.Continue(m);
        });
        await using var broker = await InProcessBroker.StartAsync(
            services => services.AddHook(hook),
            options =>
            {
                options.Hooks.TimeLimit = TimeSpan.FromSeconds(3);
                options.Hooks.MaxConcurrentCalls = 3;
            });
        try
        {
            await using var subscriber = await ScriptedClient.ConnectAsync(broker.Mqtt);
            await subscriber.SubscribeAsync("#");
            await using var slow = await ScriptedClient.ConnectAsync(broker.Mqtt);
            await using var quick = await ScriptedClient.ConnectAsync(broker.Mqtt);

            await slow.SendPublishAsync("slow", "1");
            var clock = Stopwatch.StartNew();
            await quick.PublishAsync("quick", "2", 1);
            await subscriber.ExpectPublishAsync("quick", "2");
            await Eventually.TrueAsync(() => hook.Calls == 2, Limit, () => $"2 calls: {hook.Calls}");
            await subscriber.ExpectPublishAsync("slow", "1");
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));

            // More calls hang than may: what comes still goes on when its time is over.
            for (var i = 0; i < 4; i++)
            {
                await slow.SendPublishAsync("slow", $"{i}");
                await subscriber.ExpectPublishAsync("slow", $"{i}");
            }

            await Eventually.TrueAsync(() => hook.Calls == 4, Limit, () => $"4 calls: {hook.Calls}");
        }
        finally
        {
            release.Set();
        }
    }

    /// <summary>While a packet is held up the client is not read, so its PINGREQ is not either [MQTT-3.1.2-22].</summary>
    [Fact]
    public async Task Client_that_a_hook_holds_up_for_longer_than_its_keep_alive_is_not_closed()
    {
        using var release = new ManualResetEventSlim();
        var hook = new PublishHook(m =>
        {
            release.Wait();
            return PublishVerdict.Continue(m);
        });
        await using var broker = await InProcessBroker.StartAsync(
            services => services.AddHook(hook), options => options.Hooks.TimeLimit = TimeSpan.FromSeconds(30));
        try
        {
            await using var client = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions { KeepAlive = 1 });
            await client.SendPublishAsync("slow", "1", 1, id: 1);
            await client.SendAsync(Packets.PingRequest());
            await Task.Delay(TimeSpan.FromSeconds(3.5));
            release.Set();

            Assert.True((await client.ExpectAsync(PacketType.PubAck, 1)).Reason < ReasonCode.UnspecifiedError);
            await client.ExpectAsync(PacketType.PingResp);
            await client.PingAsync();
        }
        finally
        {
            release.Set();
        }
    }

    [Fact]
    public async Task Hook_that_hangs_over_an_event_keeps_no_other_hook_and_no_client_from_going_on()
    {
        var release = new TaskCompletionSource();
        var hanging = new ConnectedHook(_ => release.Task);
        var seen = new ConcurrentQueue<string>();
        var other = new ConnectedHook(e =>
        {
            seen.Enqueue(e.ClientId);
            return e.ClientId == "1" ? throw new InvalidOperationException("a defect") : Task.CompletedTask;
        });
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(hanging).AddHook(other));

        for (var i = 0; i < 3; i++)
        {
            await using var client = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions { ClientId = $"{i}" });
            await client.PingAsync();
        }

        await Eventually.TrueAsync(() => seen.Count == 3, Limit, () => string.Join(',', seen));
        Assert.Equal(["0", "1", "2"], seen);
        release.SetResult();
    }

    private sealed class ConnectedHook(Func<ClientConnected, Task> handle) : IEventHook<ClientConnected>
    {
        public ValueTask OnEventAsync(ClientConnected happened, CancellationToken cancellationToken) => new(handle(happened));
    }
}
