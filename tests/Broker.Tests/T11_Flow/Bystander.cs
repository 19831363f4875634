using System.Diagnostics;
using System.Net;

namespace Broker.Tests.T11_Flow;

/// <summary>A well-behaved pair of clients that measures how long a message takes while others misbehave.</summary>
internal sealed class Bystander : IAsyncDisposable
{
    private readonly ScriptedClient _subscriber;
    private readonly ScriptedClient _publisher;

    private Bystander(ScriptedClient subscriber, ScriptedClient publisher) => (_subscriber, _publisher) = (subscriber, publisher);

    public static async Task<Bystander> StartAsync(EndPoint broker)
    {
        var subscriber = await ScriptedClient.ConnectAsync(broker);
        await subscriber.SubscribeAsync("bystander", 1);
        subscriber.AcknowledgesByItself = true;
        return new Bystander(subscriber, await ScriptedClient.ConnectAsync(broker));
    }

    /// <summary>The median time of some round trips at QoS 1; fails when one takes longer than a client would wait.</summary>
    public async Task<TimeSpan> MedianAsync(int rounds = 50)
    {
        var times = new List<TimeSpan>();
        for (var round = 0; round < rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            await _publisher.PublishAsync("bystander", $"{round}", 1);
            await _subscriber.ExpectPublishAsync("bystander", $"{round}");
            times.Add(clock.Elapsed);
        }

        times.Sort();
        return times[rounds / 2];
    }

    public async ValueTask DisposeAsync()
    {
        await _subscriber.DisposeAsync();
        await _publisher.DisposeAsync();
    }
}
