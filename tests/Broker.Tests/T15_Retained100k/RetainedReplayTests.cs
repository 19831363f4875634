using System.Globalization;
using Xunit.Abstractions;

namespace Broker.Tests.T15_Retained100k;

/// <summary>100,000 retained messages, some wildcard subscribers, and others who publish meanwhile.</summary>
[Collection(HeavyCollection.Name)]
public sealed class RetainedReplayTests(ITestOutputHelper output) : OwnBrokerTest
{
    private const int Groups = 100;
    private const int PerGroup = 500;
    private const int LateTopics = 200;

    // 120 s for 100,000 messages on two shared cores; it takes about two.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [OwnFact]
    public async Task Every_wildcard_subscriber_gets_each_match_exactly_once_while_others_publish()
    {
        await SetRetainedAsync();
        Say($"{Groups * PerGroup * 2} retained messages are set");
        using var enough = new CancellationTokenSource();
        var noise = Enumerable.Range(0, 2).Select(number => PublishMeanwhileAsync(number, enough.Token)).ToList();

        var readers = new List<RetainedReader>();
        foreach (var version in (ProtocolVersion[])[ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt5])
        {
            readers.Add(await StartAsync(version, "+/+/x", 1, Groups * PerGroup));
            readers.Add(await StartAsync(version, "#", 0, Groups * PerGroup * 2));
            readers.Add(await StartAsync(version, "#", 2, Groups * PerGroup * 2));
        }

        foreach (var reader in readers)
        {
            await reader.Complete.WithinAsync(Limit, () => $"{reader}");
            Say($"{reader}");
        }

        await enough.CancelAsync();
        await Task.WhenAll(noise);
        Assert.All(readers, reader => Assert.True(reader.IsExact, $"{reader}"));
    }

    private async Task<RetainedReader> StartAsync(ProtocolVersion version, string filter, int qos, int expected)
    {
        var client = await ConnectAsync(new ConnectOptions(version) { AcknowledgesByItself = true });
        var reader = new RetainedReader($"{filter} at QoS {qos}, {version}", expected);
        client.Handler = reader.Take;
        await client.SendAsync(Packets.Subscribe(version, 1, [new Subscription(filter, qos)]));
        return reader;
    }

    private async Task SetRetainedAsync()
    {
        var publisher = await ConnectAsync(ProtocolVersion.Mqtt311);
        for (var group = 0; group < Groups; group++)
        {
            var packets = Enumerable.Range(0, PerGroup).SelectMany(number => (IEnumerable<byte>)
            [
                .. Packets.Publish(publisher.Version, Retained($"{group}/{number}/x", $"{number}")),
                .. Packets.Publish(publisher.Version, Retained($"{group}/{number}/y", $"{number}")),
            ]);
            await publisher.SendAsync(packets.ToArray());
            await publisher.PublishAsync("barrier", $"{group}", 1);
        }
    }

    private static PublishOptions Retained(string topic, string payload) => new(topic, payload) { Retain = true };

    /// <summary>
    /// Messages that are not retained, on the same topics: they come without the flag and are not counted. And retained ones on other
    /// topics, new ones and new values, so that what is replayed changes while it is.
    /// </summary>
    private async Task PublishMeanwhileAsync(int number, CancellationToken enough)
    {
        await using var client = await ScriptedClient.ConnectAsync(Broker, new ConnectOptions(ProtocolVersion.Mqtt311));
        var random = new Random(number);
        for (var round = 0; !enough.IsCancellationRequested; round++)
        {
            var topic = string.Create(CultureInfo.InvariantCulture, $"{random.Next(Groups)}/{random.Next(PerGroup)}/x");
            await client.PublishAsync(topic, "live", 1);
            await client.PublishAsync($"{RetainedReader.Late}{number}/{round % LateTopics}", $"{round}", 1, retain: true);
        }
    }

    private void Say(string line)
    {
        output.WriteLine(line);
        Progress.Report(line);
    }
}
