using System.Diagnostics;
using System.Net;

namespace Broker.Cluster.Tests;

/// <summary>What a silo does for its clients that alone of all cannot reach the database.</summary>
public sealed class CutFromDatabaseTests(ITestOutputHelper output) : PartitionTest(output)
{
    [PartitionFact]
    public async Task It_refuses_durable_work_keeps_QoS_0_among_its_clients_and_heals_without_a_restart()
    {
        var mqtt = Cluster.Silos[2].Mqtt;
        var durable = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "durable");
        await using var subscriber = await ScriptedClient.ConnectAsync(mqtt, durable);
        await subscriber.SubscribeAsync("durable", 1);
        await using var listener = await ScriptedClient.ConnectAsync(mqtt);
        await listener.SubscribeAsync("quick", 0);
        await using var publisher = await ScriptedClient.ConnectAsync(mqtt);
        await using var early = await ScriptedClient.ConnectAsync(mqtt);
        var known = new ConnectOptions(ProtocolVersion.Mqtt5);
        await using var replaced = await ScriptedClient.ConnectAsync(mqtt, known);
        await using var near = await SubscribedToOnceAsync(0);

        // What its client acknowledges in time needs no row: it leaves that to the database.
        await using var far = await SubscribedToOnceAsync(2, acknowledges: false);
        var process = Cluster.Silos[2].ProcessId;

        await Network.CutAsync(Network.Silos[2], Network.Database);
        await Eventually.TrueAsync(
            async () => (await Cluster.ObstacleAsync(2)).Contains("the database has not answered", StringComparison.Ordinal),
            Recovery,
            () => Cluster.Log);

        // What is in the hands of the writer is in doubt and waits for the truth; what comes when it is known to be silent is refused.
        await early.SendPublishAsync("durable", "in doubt", qos: 1, id: 9);
        await Eventually.TrueAsync(
            async () => (await Cluster.ObstacleAsync(2)).Contains("store is not available", StringComparison.Ordinal),
            Recovery,
            () => Cluster.Log);
        await RefusesAsync(publisher);
        await StaysOpenAsync(near);
        for (var i = 0; i < 100; i++)
        {
            await publisher.PublishAsync("quick", $"{i}", qos: 0);
            Assert.Equal($"{i}", (await listener.ExpectAsync(PacketType.Publish)).Text);
        }

        await subscriber.SendAsync(Packets.Subscribe(ProtocolVersion.Mqtt5, 77, [new Subscription("more", 1)]));
        Assert.Equal([ReasonCode.ImplementationSpecificError], (await subscriber.PickAsync(PacketType.SubAck, 77)).Reasons);
        await using var another = await ScriptedClient.OpenAsync(mqtt);
        await another.SendAsync(Packets.Connect(ConnectOptions.Durable(ProtocolVersion.Mqtt5, "another")));
        Assert.Equal(ReasonCode.ServerUnavailable, (await another.ExpectAsync(PacketType.ConnAck)).Reason);
        ConnectOptions[] fresh = [new(ProtocolVersion.Mqtt5), new(ProtocolVersion.Mqtt311)];
        await TurnsAwayAsync(mqtt, fresh);

        // Of a client that is connected here without a durable session the silo knows all.
        await using var replacing = await ScriptedClient.ConnectAsync(mqtt, known);
        Assert.Equal(ReasonCode.SessionTakenOver, (await replaced.ExpectAsync(PacketType.Disconnect)).Reason);

        await Network.HealAsync();
        await Cluster.ReadyAsync(Recovery, 0, 1, 2);
        await CompletesAsync(near, far);
        await TakesInAsync(mqtt, fresh, listener);
        await subscriber.SendAsync(Packets.Subscribe(ProtocolVersion.Mqtt5, 78, [new Subscription("more", 1)]));
        Assert.Equal([ReasonCode.GrantedQoS1], (await subscriber.PickAsync(PacketType.SubAck, 78)).Reasons);
        await publisher.PublishAsync("more", "after", qos: 1);
        await subscriber.PickAsync(static p => p is { Type: PacketType.Publish, Topic: "more", Text: "after" }, "the message after the healing");
        await early.ExpectAsync(PacketType.PubAck, Recovery);
        Assert.Equal(process, Cluster.Silos[2].ProcessId);
        Assert.DoesNotContain("begins again", Cluster.Silos[2].Output.Text, StringComparison.Ordinal);
    }

    [PartitionFact(IsLong = true)]
    public async Task Cut_off_from_all_others_it_keeps_QoS_0_among_its_clients_whoever_else_was_interested()
    {
        // In all more than what waits for a silo that does not answer.
        const int Rounds = 25;
        const int Burst = 1000;

        // The others find out within about 2 s.
        var declaredDead = TimeSpan.FromSeconds(8);
        await using var elsewhere = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt);
        await elsewhere.SubscribeAsync("quick", 0);
        await using var listener = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt);
        await listener.SubscribeAsync("quick", 0);
        await using var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt);

        await Network.CutAsync([Network.Silos[1]], [Network.Silos[0], Network.Silos[2], Network.Database]);
        var cut = Stopwatch.StartNew();
        for (var round = 0; round < Rounds || cut.Elapsed < declaredDead; round++)
        {
            for (var i = 0; i < Burst; i++)
            {
                await publisher.SendPublishAsync("quick", $"{round} {i}");
            }

            await listener.PickAsync(p => p.Type == PacketType.Publish && p.Text == $"{round} {Burst - 1}", $"the end of round {round}");
        }

        await Network.HealAsync();
        await Cluster.ReadyAsync(Recovery, 0, 1, 2);
        Assert.True(await listener.ClosesAsync(), "the silo has joined again as a new one");
    }

    private Task<ScriptedClient> ConnectOnceAsync() =>
        ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "once"));

    private async Task<ScriptedClient> SubscribedToOnceAsync(int silo, bool acknowledges = true)
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, $"once-{silo}") with { AcknowledgesByItself = acknowledges };
        var client = await ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt, options);
        await client.SubscribeAsync("once", 2);
        return client;
    }

    /// <summary>
    /// A QoS 2 publish through a silo that has committed it, and that the silo which is cut off cannot store: told of a refusal
    /// its publisher would send it anew, and who has it got it twice (promise 2).
    /// </summary>
    private async Task StaysOpenAsync(ScriptedClient near)
    {
        await using var publisher = await ConnectOnceAsync();
        await publisher.SendPublishAsync("once", "first", qos: 2, id: 5);
        Assert.Equal("first", (await near.PickAsync(static p => p.Type == PacketType.Publish, "PUBLISH")).Text);
        var answer = await publisher.NextAsync();
        Assert.True(answer is { Type: PacketType.Disconnect, Reason: ReasonCode.ImplementationSpecificError }, $"{answer}\n{Cluster.Log}");
    }

    /// <summary>Sent again with its packet id it goes to who has not got it [MQTT-4.4.0-1].</summary>
    private async Task CompletesAsync(ScriptedClient near, ScriptedClient far)
    {
        await using var publisher = await ConnectOnceAsync();
        Assert.True(publisher.ConnAck.SessionPresent);
        await publisher.SendPublishAsync(new PublishOptions("once", "first") { Qos = 2, PacketId = 5, Dup = true });
        Assert.Equal(ReasonCode.Success, (await publisher.ExpectAsync(PacketType.PubRec, 5)).Reason);
        await publisher.AckAsync(PacketType.PubRel, 5);
        await publisher.ExpectAsync(PacketType.PubComp, 5);
        await publisher.PublishAsync("once", "second", qos: 2);
        foreach (var (client, expected) in new[] { (near, "second"), (far, "first"), (far, "second") })
        {
            Assert.Equal(expected, (await client.PickAsync(static p => p.Type == PacketType.Publish, "PUBLISH")).Text);
        }
    }

    /// <summary>
    /// Clients that ask for nothing durable: only the database can tell what there is of them elsewhere, and a session that their
    /// CONNECT ends must not come back [MQTT-3.1.2-4].
    /// </summary>
    private static async Task TurnsAwayAsync(EndPoint mqtt, ConnectOptions[] fresh)
    {
        foreach (var options in fresh)
        {
            await using var client = await ScriptedClient.OpenAsync(mqtt, options);
            await client.SendAsync(Packets.Connect(options));
            var expected = options.Version == ProtocolVersion.Mqtt5 ? ReasonCode.ServerUnavailable : (ReasonCode)3;
            Assert.Equal(expected, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
            Assert.True(await client.ClosesAsync(), "a refused CONNECT ends the connection");
        }
    }

    private static async Task TakesInAsync(EndPoint mqtt, ConnectOptions[] fresh, ScriptedClient listener)
    {
        foreach (var options in fresh)
        {
            await using var client = await ScriptedClient.ConnectAsync(mqtt, options);
            await client.PublishAsync("quick", options.ClientId, qos: 0);
            await listener.PickAsync(p => p.Type == PacketType.Publish && p.Text == options.ClientId, "the message of a client that is let in again");
        }
    }

    private static async Task RefusesAsync(ScriptedClient publisher)
    {
        for (ushort i = 1; i <= 3; i++)
        {
            await publisher.SendAsync(Packets.Publish(
                ProtocolVersion.Mqtt5, new PublishOptions("durable", $"{i}") { Qos = 1, PacketId = i }));
            var answer = await publisher.ExpectAsync(PacketType.PubAck);
            Assert.Equal(ReasonCode.ImplementationSpecificError, answer.Reason);
        }
    }
}
