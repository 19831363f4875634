using System.Net;
using System.Net.Sockets;
using Broker.Protocol;
using Broker.TestKit.Checks;
using Broker.TestKit.Wire;

namespace Broker.TestKit.Clients;

/// <summary>
/// A client with a durable session that comes back as often as its connection ends, and checks each time whether the
/// broker knew the session. What it does while connected is up to the derived class.
/// </summary>
public abstract class ReconnectingClient(Func<EndPoint> broker, ConnectOptions options, DeliveryChecker checker)
{
    // 20 ms: several attempts within the shortest start of a broker.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ScriptedClient? _client;
    private bool _hasSession;

    /// <summary>Completes when the client has its session, and its subscription if it wants one.</summary>
    public Task Ready => _ready.Task;

    protected DeliveryChecker Checker => checker;

    public int Connections { get; private set; }

    /// <summary>Whether a broker that says nothing for too long counts as lost: one may be frozen while others serve.</summary>
    public bool LeavesSilentBrokers { get; init; }

    /// <summary>Loses the connection; the client comes back.</summary>
    public void Cut()
    {
        try
        {
            _client?.Abort();
        }
        catch (ObjectDisposedException)
        {
            // It was just being lost.
        }
    }

    /// <summary>Runs until the derived class has done its work; ends early, with an exception, when told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!await RunOnceAsync(stop))
        {
            stop.ThrowIfCancellationRequested();
            await Task.Delay(Pause, stop);
        }
    }

    /// <summary>The first connection of the session.</summary>
    protected virtual Task SetUpAsync(ScriptedClient client) => Task.CompletedTask;

    /// <summary>Returns when the work is done; throws when the connection ends.</summary>
    protected abstract Task WorkAsync(ScriptedClient client, CancellationToken stop);

    private async Task<bool> RunOnceAsync(CancellationToken stop)
    {
        ScriptedClient client;
        try
        {
            client = await ScriptedClient.ConnectAsync(broker(), options);
        }
        catch (Exception failure) when (failure is SocketException or TestFailureException)
        {
            // The broker is down, or went down during the exchange.
            return false;
        }

        await using (client)
        {
            _client = client;
            try
            {
                await UseAsync(client, stop);
                return true;
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException
                || (failure is TestFailureException && (client.IsClosed || LeavesSilentBrokers)))
            {
                return false;
            }
        }
    }

    private async Task UseAsync(ScriptedClient client, CancellationToken stop)
    {
        Connections++;
        if (_hasSession)
        {
            checker.SessionPresent(client.ClientId, expected: true, client.ConnAck.SessionPresent);
        }
        else
        {
            await SetUpAsync(client);
            _hasSession = true;
            _ready.SetResult();
        }

        await WorkAsync(client, stop);
        await client.DisconnectAsync(ReasonCode.Success);
    }
}
