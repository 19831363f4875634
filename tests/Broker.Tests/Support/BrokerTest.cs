using System.Net;

namespace Broker.Tests.Support;

/// <summary>What every test against a broker needs: clients that are closed after it and topics no other test uses.</summary>
public abstract class BrokerTest : IAsyncLifetime
{
    private static int _lastTest;

    private readonly List<ScriptedClient> _clients = [];
    private readonly string _prefix;

    protected BrokerTest() => _prefix = $"{GetType().Name}/{Interlocked.Increment(ref _lastTest)}";

    /// <summary>The broker under test.</summary>
    protected abstract IPEndPoint Broker { get; }

    public virtual Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }
    }

    /// <summary>A topic below this test's own prefix.</summary>
    protected string Topic(string name = "t") => $"{_prefix}/{name}";

    /// <summary>A client id of this test's own.</summary>
    protected string Id(string name = "client") => $"{_prefix}/{name}";

    protected Task<ScriptedClient> ConnectAsync(ProtocolVersion version = ProtocolVersion.Mqtt5) =>
        ConnectAsync(new ConnectOptions(version));

    protected async Task<ScriptedClient> ConnectAsync(ConnectOptions options, EndPoint? broker = null, int receiveBuffer = 0) =>
        Keep(await ScriptedClient.ConnectAsync(broker ?? Broker, options, receiveBuffer));

    /// <summary>Opens the connection and sends CONNECT; the test expects the answer itself.</summary>
    protected async Task<ScriptedClient> AttemptAsync(ConnectOptions options)
    {
        var client = await OpenAsync(options);
        await client.SendAsync(Packets.Connect(options));
        return client;
    }

    /// <summary>Opens the connection and sends nothing.</summary>
    protected async Task<ScriptedClient> OpenAsync(ConnectOptions? options = null) =>
        Keep(await ScriptedClient.OpenAsync(Broker, options));

    /// <summary>A connected client that has subscribed.</summary>
    protected async Task<ScriptedClient> SubscriberAsync(ProtocolVersion version, string filter, int qos = 0)
    {
        var client = await ConnectAsync(version);
        await client.SubscribeAsync(filter, qos);
        return client;
    }

    private ScriptedClient Keep(ScriptedClient client)
    {
        lock (_clients)
        {
            _clients.Add(client);
        }

        return client;
    }
}
