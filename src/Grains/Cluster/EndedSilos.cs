using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// Asks the membership to declare silos dead whose process has ended, which its probes take up to 3 s to find out: such a silo is
/// out of its time, and its machine refuses a connection to its address. One that is frozen, slow or cut off is left to the probes,
/// and to <see cref="CutOffSilos"/>, which is told what is seen here. Only where that which cuts it off also answers for its address
/// that nobody listens there, it is taken for ended: then it begins again as a new member, as it would some seconds later.
/// </summary>
public sealed partial class EndedSilos(
    ClusterStore store, IClusterMembershipService membership, CutOffSilos cutOff, TimeProvider time, ILogger<EndedSilos> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(150);

    // Between two looks at the same silo: the membership works on what it is asked one after the other.
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    // A refusal comes at once; silence means nothing here.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromMilliseconds(500);

    private readonly ILogger _logger = logger;
    private readonly CancellationTokenSource _closing = new();
    private readonly Dictionary<SiloAddress, long> _looked = [];
    private Task _work = Task.CompletedTask;

    /// <summary>Begins to look.</summary>
    public void Start() => _work = Task.Run(RunAsync);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _work;
        _closing.Dispose();
    }

    /// <summary>Whether the machine of an address says that nobody listens there.</summary>
    internal static async Task<bool> RefusesAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(AnswerTime);
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address, patience.Token);
            return false;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode == SocketError.ConnectionRefused;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Tick, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                try
                {
                    await LookAsync();
                }
                catch (Exception error) when (!_closing.IsCancellationRequested)
                {
                    // The database or the membership does not answer: the next look asks again.
                    NotKnown(error.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private async Task LookAsync()
    {
        var undecided = await UndecidedAsync();
        foreach (var decided in _looked.Keys.Where(silo => !undecided.Contains(silo)).ToList())
        {
            _looked.Remove(decided);
        }

        await Task.WhenAll(undecided
            .Where(silo => !_looked.TryGetValue(silo, out var last) || time.GetElapsedTime(last) > Again).ToList()
            .ConvertAll(LookAsync)
            .Append(cutOff.SeenAsync(undecided)));
    }

    private async Task<HashSet<SiloAddress>> UndecidedAsync()
    {
        try
        {
            return [.. (await store.UndecidedAsync(_closing.Token)).Where(static s => s.IsOfCluster).Select(static s => s.Silo)];
        }
        catch (Exception)
        {
            cutOff.NotSeen();
            throw;
        }
    }

    private async Task LookAsync(SiloAddress silo)
    {
        _looked[silo] = time.GetTimestamp();
        if (await RefusesAsync(silo.Endpoint, _closing.Token))
        {
            Ended(silo);
            await membership.TryKill(silo);
        }
    }

    [LoggerMessage(347, LogLevel.Warning, "The process of silo {Silo} has ended: it is to be declared dead")]
    private partial void Ended(SiloAddress silo);

    [LoggerMessage(348, LogLevel.Debug, "Whether the process of a silo has ended is not known: {Cause}")]
    private partial void NotKnown(string cause);
}
