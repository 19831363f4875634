using System.Collections.Concurrent;

namespace Broker.Cluster.Tests.Support;

/// <summary>Collects the Wills that are published, on a durable session that comes back as often as its connection ends.</summary>
internal sealed class WillListener : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<string> _heard = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LocalCluster _cluster;
    private readonly Random _random;
    private readonly Task _listening;

    private WillListener(LocalCluster cluster, Random random)
    {
        _cluster = cluster;
        _random = random;
        _listening = ListenAsync();
    }

    public static async Task<WillListener> StartAsync(LocalCluster cluster, Random random)
    {
        var listener = new WillListener(cluster, random);
        await listener._ready.Task.WithinAsync(Limit, static () => "the listener for Wills is subscribed");
        return listener;
    }

    /// <summary>Each of these Wills has come, once, and no other one.</summary>
    public async Task ExpectAsync(IEnumerable<string> wills)
    {
        var expected = wills.Order(StringComparer.Ordinal).ToList();
        await Eventually.TrueAsync(
            () => _heard.Distinct(StringComparer.Ordinal).Count() >= expected.Count,
            Limit,
            () => $"{expected.Count} Wills: {string.Join(", ", _heard)}");

        // A marker through every silo: whatever they have published before is here when it is.
        for (var silo = 0; silo < _cluster.Silos.Count; silo++)
        {
            await using var publisher = await ScriptedClient.ConnectAsync(_cluster.Silos[silo].Mqtt);
            await publisher.PublishAsync("wills/marker", $"marker {silo}", 1);
        }

        await Eventually.TrueAsync(
            () => _heard.Count(static will => will.StartsWith("marker", StringComparison.Ordinal)) >= _cluster.Silos.Count,
            Limit,
            () => $"markers: {string.Join(", ", _heard)}");
        Assert.Equal(
            expected, _heard.Where(static will => !will.StartsWith("marker", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task ListenAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var client = await ScriptedClient.ConnectAsync(
                    _cluster.Any(_random), ConnectOptions.Durable(ProtocolVersion.Mqtt5, "wills"));
                await client.SubscribeAsync("wills/#", 2);
                _ready.TrySetResult();
                await ReceiveAsync(client);
            }
            catch (Exception failure) when (failure is TestFailureException or System.Net.Sockets.SocketException)
            {
                // Its silo stops: it goes to another one.
                await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            }
        }
    }

    private async Task ReceiveAsync(ScriptedClient client)
    {
        while (!_stop.IsCancellationRequested)
        {
            ReceivedPacket packet;
            try
            {
                packet = await client.NextAsync(TimeSpan.FromMilliseconds(500));
            }
            catch (TestFailureException) when (!client.IsClosed)
            {
                continue;
            }

            if (packet.Type == PacketType.Publish)
            {
                if (!packet.Dup || !_heard.Contains(packet.Text))
                {
                    _heard.Enqueue(packet.Text);
                }

                await client.AckAsync(PacketType.PubAck, packet.PacketId);
            }
            else if (packet.Type == PacketType.Disconnect)
            {
                return;
            }
        }
    }
}
