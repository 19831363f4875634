using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Broker.Cluster.Tests.Support;

/// <summary>
/// Many clients with durable sessions, who do nothing but be connected and come back, after a pause of chance, when their connection ends.
/// Each checks that the broker knows its session.
/// </summary>
/// <param name="address">Where all of them connect.</param>
/// <param name="wills">Topic of their Wills; null: none.</param>
internal sealed class Crowd(EndPoint address, string? wills) : IAsyncDisposable
{
    // As many at a time as one machine makes without its own queues being what is measured.
    private const int AtOnce = 64;

    // A client that waits for nothing would be a storm of its own; one that waits longer would hide how long the broker takes.
    private static readonly (int Least, int Most) Pause = (50, 500);

    private static readonly TimeSpan SetUpLimit = TimeSpan.FromSeconds(120);

    private readonly ConcurrentQueue<Exception> _failures = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _runs = [];
    private readonly SemaphoreSlim _first = new(AtOnce);
    private int _connected;
    private int _attempts;
    private int _returns;
    private readonly ConcurrentDictionary<ReasonCode, int> _refusals = new();
    private int _withoutSession;
    private long _lastReturn;

    /// <summary>Clients that are connected now.</summary>
    public int Connected => Volatile.Read(ref _connected);

    /// <summary>Connections made after the first one of each client.</summary>
    public int Returns => Volatile.Read(ref _returns);

    /// <summary>How often CONNECT was refused, by reason.</summary>
    public IReadOnlyDictionary<ReasonCode, int> Refusals => _refusals;

    /// <summary>Returns that found no session: lost ones.</summary>
    public int WithoutSession => Volatile.Read(ref _withoutSession);

    /// <summary>When the last client came back, by <see cref="Stopwatch"/>.</summary>
    public long LastReturn => Volatile.Read(ref _lastReturn);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Connected} of {_runs.Count} connected, {Returns} returns, {_attempts} attempts that failed, refused {(_refusals.IsEmpty ? "0" : string.Join(", ", _refusals))}, {WithoutSession} without session");

    /// <summary>Connects so many more.</summary>
    public async Task AddAsync(int count)
    {
        var goal = _runs.Count + count;
        while (_runs.Count < goal)
        {
            var number = _runs.Count;
            _runs.Add(Task.Run(() => RunAsync(number)));
        }

        await Eventually.TrueAsync(
            () => Connected >= goal || !_failures.IsEmpty, SetUpLimit, () => $"{goal} are connected: {this}");
        if (_failures.TryPeek(out var failure))
        {
            throw new TestFailureException($"{this}: {failure}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_runs);
        _stop.Dispose();
        _first.Dispose();
    }

    private async Task RunAsync(int number)
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, string.Create(CultureInfo.InvariantCulture, $"crowd{number}"));
        if (wills is not null)
        {
            options = options with { Will = new Will($"{wills}/{number}", "gone", qos: 1) };
        }

        var isFirst = true;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (isFirst)
                {
                    await _first.WaitAsync(_stop.Token);
                }

                isFirst = !await ConnectAsync(options, isFirst) && isFirst;
                await Task.Delay(Random.Shared.Next(Pause.Least, Pause.Most), _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception failure)
            {
                _failures.Enqueue(failure);
                return;
            }
        }
    }

    /// <summary>One connection from its beginning to its end; false when it was none.</summary>
    private async Task<bool> ConnectAsync(ConnectOptions options, bool isFirst)
    {
        ScriptedClient client;
        try
        {
            client = await ScriptedClient.OpenAsync(address, options);
        }
        catch (Exception failure) when (failure is SocketException or TestFailureException)
        {
            Failed(isFirst);
            return false;
        }

        await using (client)
        {
            var accepted = await HelloAsync(client);
            if (accepted is null)
            {
                Failed(isFirst);
                return false;
            }

            if (isFirst)
            {
                _first.Release();
            }
            else
            {
                Interlocked.Increment(ref _returns);
                Interlocked.Add(ref _withoutSession, accepted.SessionPresent ? 0 : 1);
                Volatile.Write(ref _lastReturn, Stopwatch.GetTimestamp());
            }

            Interlocked.Increment(ref _connected);
            using (_stop.Token.Register(client.Abort))
            {
                await client.ClosesAsync(Timeout.InfiniteTimeSpan);
            }

            Interlocked.Decrement(ref _connected);
            return true;
        }
    }

    private async Task<ReceivedPacket?> HelloAsync(ScriptedClient client)
    {
        if (!await client.TrySendAsync(Packets.Connect(client.Options), _stop.Token))
        {
            return null;
        }

        try
        {
            // A storm of thousands waits its turn in the listen queue.
            var answer = await client.ExpectAsync(PacketType.ConnAck, TimeSpan.FromSeconds(60));
            if (answer.Reason != ReasonCode.Success)
            {
                _refusals.AddOrUpdate(answer.Reason, 1, static (_, count) => count + 1);
                return null;
            }

            return answer;
        }
        catch (TestFailureException)
        {
            // The silo went, or the balancer had none.
            return null;
        }
    }

    private void Failed(bool isFirst)
    {
        Interlocked.Increment(ref _attempts);
        if (isFirst)
        {
            _first.Release();
        }
    }
}
