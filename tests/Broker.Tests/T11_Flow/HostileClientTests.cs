using System.Net.Sockets;

namespace Broker.Tests.T11_Flow;

/// <summary>Clients that cost the broker something on purpose: its memory stays bounded, the others are served.</summary>
[Collection(HeavyCollection.Name)]
public sealed class HostileClientTests() : OwnBrokerTest(("Runtime:HugePages", "false"))
{
    // 150 MB: room for the runtime's heap to breathe; the attacks below offer several times as much.
    private const long MemoryAllowance = 150L << 20;

    // 250 ms: far above the usual round trip, as the machine may be busy with other things, and far below that of a client that is starved.
    private static readonly TimeSpan Noticeable = TimeSpan.FromMilliseconds(250);

    [OwnFact]
    public async Task Subscriber_that_stops_reading_costs_its_own_budget_only()
    {
        await using var bystander = await Bystander.StartAsync(Broker);
        var stuck = await ConnectAsync(new ConnectOptions(), receiveBuffer: 4096);
        await stuck.SubscribeAsync("flood", 0);
        stuck.PauseReading();
        var publisher = await ConnectAsync();
        var before = Server.ResidentBytes;

        // 500 MB for a client that takes none of it.
        var packet = Packets.Publish(publisher.Version, new PublishOptions("flood", new byte[50_000]));
        for (var count = 0; count < 10_000; count++)
        {
            await publisher.SendAsync(packet);
        }

        await publisher.PingAsync();
        Assert.InRange(Server.ResidentBytes - before, long.MinValue, MemoryAllowance);
        Assert.InRange(await bystander.MedianAsync(), TimeSpan.Zero, Noticeable);
    }

    /// <summary>What is owed to it is no reason to wait for it [MQTT-3.1.2-22].</summary>
    [OwnFact]
    public async Task Subscriber_that_stops_reading_and_falls_silent_is_closed_when_its_keep_alive_is_over()
    {
        var watcher = await ConnectAsync();
        await watcher.SubscribeAsync("gone", 1);
        var stuck = await ConnectAsync(new ConnectOptions { KeepAlive = 1, Will = new Will("gone", "stuck", qos: 1) }, receiveBuffer: 4096);
        await stuck.SubscribeAsync("flood", 0);
        stuck.PauseReading();
        var publisher = await ConnectAsync();
        var packet = Packets.Publish(publisher.Version, new PublishOptions("flood", new byte[50_000]));
        for (var count = 0; count < 600; count++)
        {
            await publisher.SendAsync(packet);
            if (count % 50 == 0)
            {
                await stuck.SendAsync(Packets.PingRequest());
            }
        }

        await publisher.PingAsync();
        await stuck.SendAsync(Packets.PingRequest());
        Assert.Equal("stuck", (await watcher.ExpectAsync(PacketType.Publish)).Text);
    }

    [OwnFact]
    public async Task Durable_subscriber_that_stops_reading_is_bounded_by_its_queue()
    {
        await using var bystander = await Bystander.StartAsync(Broker);
        var stuck = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()), receiveBuffer: 4096);
        await stuck.SubscribeAsync("flood", 1);
        stuck.PauseReading();
        var publisher = await ConnectAsync();
        var before = Server.ResidentBytes;

        var body = new byte[50_000];
        for (var count = 0; count < 2_000; count++)
        {
            await publisher.PublishAsync(new PublishOptions("flood", body) { Qos = 1 });
        }

        Assert.InRange(Server.ResidentBytes - before, long.MinValue, MemoryAllowance);
        Assert.InRange(await bystander.MedianAsync(), TimeSpan.Zero, Noticeable);
    }

    [OwnFact]
    public async Task Publisher_that_floods_does_not_starve_the_others()
    {
        await using var bystander = await Bystander.StartAsync(Broker);
        var durable = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));
        await durable.SubscribeAsync("flood", 1);
        durable.PauseReading();
        var before = Server.ResidentBytes;
        using var enough = new CancellationTokenSource();
        var floods = Enumerable.Range(0, 4).Select(_ => FloodAsync(enough.Token)).ToList();

        var median = await bystander.MedianAsync(rounds: 200);

        await enough.CancelAsync();
        await Task.WhenAll(floods);
        Assert.InRange(median, TimeSpan.Zero, Noticeable);
        Assert.InRange(Server.ResidentBytes - before, long.MinValue, MemoryAllowance);
    }

    [OwnFact]
    public async Task Connections_that_send_a_byte_now_and_then_do_no_harm()
    {
        await using var bystander = await Bystander.StartAsync(Broker);
        var packet = Packets.Publish(ProtocolVersion.Mqtt5, new PublishOptions("slow", new byte[900_000]));
        var before = Server.ResidentBytes;
        var slow = new List<ScriptedClient>();
        for (var count = 0; count < 500; count++)
        {
            // The header promises 900 KB, of which 450 MB in all would have to be reserved by a trusting broker.
            var client = await ConnectAsync();
            await client.SendAsync(packet.AsMemory(0, 20));
            slow.Add(client);
        }

        for (var sent = 20; sent < 25; sent++)
        {
            foreach (var client in slow)
            {
                await client.SendAsync(packet.AsMemory(sent, 1));
            }

            Assert.InRange(await bystander.MedianAsync(), TimeSpan.Zero, Noticeable);
        }

        Assert.InRange(Server.ResidentBytes - before, long.MinValue, MemoryAllowance);
        Assert.DoesNotContain(slow, client => client.IsClosed);
    }

    [OwnFact]
    public async Task Ten_thousand_idle_connections_cost_little_memory_and_no_time()
    {
        const int Count = 10_000;
        await using var bystander = await Bystander.StartAsync(Broker);
        var before = Server.ResidentBytes;
        var sockets = new List<Socket>();
        try
        {
            for (var number = 0; number < Count; number++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                sockets.Add(socket);
                await socket.ConnectAsync(Broker);
                await socket.SendAsync(Packets.Connect(new ConnectOptions(ProtocolVersion.Mqtt311)));
            }

            var answer = new byte[4];
            foreach (var socket in sockets)
            {
                await ReadConnAckAsync(socket, answer);
                Assert.Equal([0x20, 2, 0, 0], answer);
            }

            // 14 KB each is what is due for an idle connection; twice that allows for a heap that is yet to be collected.
            Assert.InRange((Server.ResidentBytes - before) / Count, long.MinValue, 28 * 1024);
            Assert.InRange(await bystander.MedianAsync(), TimeSpan.Zero, Noticeable);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    private static async Task ReadConnAckAsync(Socket socket, byte[] answer)
    {
        using var limit = new CancellationTokenSource(ScriptedClient.Patience);
        for (var count = 0; count < answer.Length;)
        {
            var read = await socket.ReceiveAsync(answer.AsMemory(count), limit.Token);
            Assert.NotEqual(0, read);
            count += read;
        }
    }

    /// <summary>QoS 1 as fast as the broker reads; what it answers is read and thrown away.</summary>
    private async Task FloodAsync(CancellationToken enough)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(Broker, enough);
        await socket.SendAsync(Packets.Connect(new ConnectOptions(ProtocolVersion.Mqtt311)), enough);
        var reading = DiscardAsync(socket);
        var flood = Enumerable.Range(1, 65_535).SelectMany(id => Packets.Publish(
            ProtocolVersion.Mqtt311, new PublishOptions("flood", new byte[100]) { Qos = 1, PacketId = (ushort)id })).ToArray();
        try
        {
            while (true)
            {
                for (var sent = 0; sent < flood.Length;)
                {
                    sent += await socket.SendAsync(flood.AsMemory(sent, Math.Min(50_000, flood.Length - sent)), enough);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Told to stop, in the middle of a packet like as not.
        }

        socket.Dispose();
        await reading;
    }

    private static async Task DiscardAsync(Socket socket)
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (await socket.ReceiveAsync(buffer) > 0)
            {
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The flood is over.
        }
    }
}
