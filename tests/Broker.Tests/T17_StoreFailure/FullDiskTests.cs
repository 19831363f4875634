using Broker.Grains.Tests.Storage;

namespace Broker.Tests.T17_StoreFailure;

/// <summary>A data folder on a file system that is really full: durable work is refused, the rest goes on, and it passes.</summary>
public sealed class FullDiskTests
{
    private const int DiskMebibytes = 8;
    private const int PayloadBytes = 100_000;

    // More than the disk holds.
    private const int Attempts = 200;

    private const string GroupFilter = "$share/g/grouped";

    private static readonly string[] LongFilters = [.. Enumerable.Range(0, 200).Select(static n => $"long/{n}/{new string('f', 4_000)}")];

    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(10);

    // [MQTT-4.8.0-2] of 3.1.1
    [OwnTinyDiskFact]
    public async Task Full_disk_refuses_durable_work_with_0x97_keeps_qos_0_and_recovers_by_itself()
    {
        var disk = TinyDisk.TryMount(DiskMebibytes, out var reason) ?? throw new InvalidOperationException(reason);
        try
        {
            await using var broker = new BrokerProcess
            {
                Arguments = ["--data", Path.Combine(disk.Path, "data"), "--mqtt", "0", "--http", "0"],
                Settings = new Dictionary<string, string> { ["Session:MaxQueued"] = "0", ["Session:MaxQueuedBytes"] = "0" },
            };
            await broker.StartAsync();
            await RunAsync(broker, disk);
        }
        finally
        {
            disk.Unmount();
        }
    }

    private static async Task RunAsync(BrokerProcess broker, TinyDisk disk)
    {
        var away = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "away");
        await using (var subscriber = await ScriptedClient.ConnectAsync(broker.Mqtt, away))
        {
            await subscriber.SubscribeAsync("full/#", 1);
            await subscriber.DisconnectAsync();
        }

        await using var stays = await ScriptedClient.ConnectAsync(broker.Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "stays"));
        await stays.SubscribeAsync("stay/#", 1);

        await using var member = await JoinGroupAsync(broker);
        var filler = Path.Combine(disk.Path, "filler");
        await File.WriteAllBytesAsync(filler, new byte[2 << 20]);
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt);

        var accepted = await FillAsync(publisher);

        await OldClientIsClosedAsync(broker);
        await DurableConnectIsRefusedAsync(broker);
        await Qos0GoesOnAsync(broker);
        await RefusedSubscribeChangesNothingAsync(stays, publisher);
        await RefusedUnsubscribeKeepsTheGroupAsync(member);
        Assert.Equal(1, StoreWarnings(broker));

        File.Delete(filler);
        await Eventually.TrueAsync(
            async () => (await publisher.PublishAsync("full/last", "last", 1))!.Reason == ReasonCode.Success,
            Recovery,
            () => "the store did not recover:\n" + broker.Output.Text);

        await using var back = await ScriptedClient.ConnectAsync(broker.Mqtt, away);
        Assert.True(back.ConnAck.SessionPresent);
        for (var number = 0; number < accepted; number++)
        {
            var message = await back.ExpectAsync(PacketType.Publish);
            Assert.Equal($"full/{number}", message.Topic);
            await back.AckAsync(PacketType.PubAck, message.PacketId);
        }

        await back.PickAsync(p => p.Type == PacketType.Publish && p.Text == "last", "the message after the recovery");
    }

    /// <summary>The only member of a group, which has one message; two more are acknowledged and wait in the group.</summary>
    private static async Task<ScriptedClient> JoinGroupAsync(BrokerProcess broker)
    {
        var member = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions
        {
            ClientId = "member",
            Properties = new() { { Prop.SessionExpiryInterval, 3600 }, { Prop.ReceiveMaximum, 1 } },
        });
        await member.SubscribeAsync([new Subscription(GroupFilter, 1), .. LongFilters.Select(static f => new Subscription(f, 1))]);
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt);
        foreach (var text in (string[])["1", "2", "3"])
        {
            Assert.Equal(ReasonCode.Success, (await publisher.PublishAsync("grouped", text, 1))!.Reason);
        }

        return member;
    }

    private static async Task RefusedUnsubscribeKeepsTheGroupAsync(ScriptedClient member)
    {
        // More rows to delete than the log has room for.
        var answer = await member.UnsubscribeAsync([GroupFilter, .. LongFilters]);
        Assert.All(answer.Reasons, static reason => Assert.Equal(ReasonCode.ImplementationSpecificError, reason));
        foreach (var text in (string[])["1", "2", "3"])
        {
            await member.AckAsync(PacketType.PubAck, (await member.ExpectPublishAsync("grouped", text)).PacketId);
        }
    }

    /// <summary>Publishes until the broker refuses; the number of messages that it accepted.</summary>
    private static async Task<int> FillAsync(ScriptedClient publisher)
    {
        for (var number = 0; number < Attempts; number++)
        {
            var answer = await publisher.PublishAsync($"full/{number}", new string('x', PayloadBytes), 1);
            if (answer!.Reason != ReasonCode.Success)
            {
                Assert.Equal(ReasonCode.QuotaExceeded, answer.Reason);
                return number;
            }
        }

        throw new TestFailureException($"{Attempts} messages fit on a disk of {DiskMebibytes} MiB");
    }

    private static int StoreWarnings(BrokerProcess broker) => broker.Output.Text.Split('\n').Count(
        line => line.Contains("Broker.Grains.Storage", StringComparison.Ordinal)
            && (line.Contains("WARN", StringComparison.Ordinal) || line.Contains("ERROR", StringComparison.Ordinal)));

    private static async Task OldClientIsClosedAsync(BrokerProcess broker)
    {
        // 3.x has no negative acknowledgement: the connection ends.
        await using var old = await ScriptedClient.ConnectAsync(broker.Mqtt, ProtocolVersion.Mqtt311);
        await old.SendPublishAsync("full/old", new string('x', PayloadBytes), 1);
        await old.ExpectCloseAsync();
    }

    private static async Task DurableConnectIsRefusedAsync(BrokerProcess broker)
    {
        // A Will of 180 KB, more than is left where a message of PayloadBytes did not fit.
        var will = new Will("will", new string('x', 60_000))
        {
            Properties = new() { { Prop.CorrelationData, new byte[60_000] }, { Prop.UserProperty, "n", new string('x', 60_000) } },
        };
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "new") with { Will = will };
        await using var client = await ScriptedClient.OpenAsync(broker.Mqtt, options);
        await client.SendAsync(Packets.Connect(options));
        Assert.Equal(ReasonCode.ServerUnavailable, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
        await client.ExpectCloseAsync();
    }

    private static async Task Qos0GoesOnAsync(BrokerProcess broker)
    {
        await using var listener = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await listener.SubscribeAsync("other/#");
        await listener.SendPublishAsync("other/1", "still here");
        await listener.ExpectPublishAsync("other/1", "still here");
    }

    private static async Task RefusedSubscribeChangesNothingAsync(ScriptedClient stays, ScriptedClient publisher)
    {
        // More than is left on the disk, and one filter that is subscribed to already.
        var filters = Enumerable.Range(0, 200).Select(n => new Subscription($"{n}/{new string('f', 4_000)}", 1));
        var answer = await stays.SubscribeAsync([new Subscription("stay/#", 0), .. filters]);
        Assert.All(answer.Reasons, reason => Assert.Equal(ReasonCode.QuotaExceeded, reason));

        await publisher.SendPublishAsync($"0/{new string('f', 4_000)}", "not granted");
        await publisher.SendPublishAsync("stay/1", "as before");
        await stays.ExpectPublishAsync("stay/1", "as before");
    }
}
