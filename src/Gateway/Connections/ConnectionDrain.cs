using System.Diagnostics;
using Broker.Gateway.Hosting;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Broker.Grains.Cluster;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>
/// Ends all connections when the broker stops. Where other silos live, at a bounded rate: MQTT 5.0 clients are told Use another server
/// (0x9C) with the Server Reference if there is one, and their sessions are fetched from here while this silo goes on with its
/// work; it stays a moment after the last close for that. A silo without others closes all at once, with Server shutting down
/// (0x8B) unless there is a Server Reference. Wills wait: clients that come back in time have not died.
/// </summary>
internal sealed partial class ConnectionDrain(
    ConnectionRegistry registry,
    ConnectionGate gate,
    ShutdownOptions options,
    Peers peers,
    ILogger<ConnectionDrain> logger,
    SiloTime? time = null) : IConnectionDrain
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    // Half of what silos move in one go: clients whose sessions wait behind that could as well have stayed.
    private const int MovesAtOnce = 128;

    private readonly ILogger _logger = logger;

    /// <summary>Whether there is somebody to hand sessions to, and this silo still has them.</summary>
    private bool HasOthers => time is { IsValid: true } && peers.Living.Any();

    /// <inheritdoc />
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var count = registry.Count;
        var left = new List<Session>();
        await CloseAllAsync(left, clock, cancellationToken);

        // The gate as well: who was let in before it closed may only come into the registry now, and is sent away then.
        while ((registry.Count > 0 || gate.Open > 0) && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Look, CancellationToken.None);
            await CloseAllAsync(left, clock, cancellationToken);
        }

        var cut = CutOff();
        var closed = clock.Elapsed;
        await HandOverAsync(left, clock, cancellationToken);
        Drained(count, closed.TotalSeconds, cut, left.Count, clock.Elapsed.TotalSeconds);
    }

    /// <param name="sentAway">Gets the sessions that may move.</param>
    private async Task CloseAllAsync(List<Session> sentAway, Stopwatch clock, CancellationToken cancellationToken)
    {
        var reserve = options.HandOverTime < options.DrainTimeout / 2 ? options.HandOverTime : options.DrainTimeout / 2;
        var pace = new DrainPace(options.DrainRate, options.DrainTimeout - reserve);
        var open = new Queue<ClientConnection>();
        while (!cancellationToken.IsCancellationRequested)
        {
            if (open.Count == 0)
            {
                // Again until there are none: some were let in before the gate closed and have come since.
                open = new Queue<ClientConnection>(registry.All.Where(static c => !c.IsClosing));
                if (open.Count == 0)
                {
                    return;
                }
            }

            sentAway.RemoveAll(static session => session.State == SessionState.Ended);
            var isCongested = sentAway.Count(static session => session.IsDeparting) > MovesAtOnce;
            var hasOthers = HasOthers;
            var goodbye = hasOthers || options.ServerReference is { Length: > 0 }
                ? new DisconnectPacket { Reason = ReasonCode.UseAnotherServer, ServerReference = options.ServerReference }
                : new DisconnectPacket { Reason = ReasonCode.ServerShuttingDown };
            for (var due = hasOthers ? pace.Due(open.Count, clock.Elapsed, isCongested) : open.Count; due > 0; due--)
            {
                var connection = open.Dequeue();
                if (hasOthers && connection.Session is { IsDurable: true } session)
                {
                    sentAway.Add(session);
                }

                connection.SendAway(goodbye);
            }

            if (open.Count > 0)
            {
                await Task.Delay(Look, CancellationToken.None);
            }
        }
    }

    private int CutOff()
    {
        var cut = 0;
        foreach (var connection in registry.All)
        {
            connection.CutOff();
            cut++;
        }

        return cut;
    }

    /// <summary>Waits, not too long, until other silos have fetched the sessions.</summary>
    private async Task HandOverAsync(List<Session> left, Stopwatch clock, CancellationToken cancellationToken)
    {
        var until = clock.Elapsed + options.HandOverTime;
        while (HasOthers && clock.Elapsed < until && !cancellationToken.IsCancellationRequested)
        {
            left.RemoveAll(static session => session.State == SessionState.Ended);
            if (left.Count == 0)
            {
                return;
            }

            await Task.Delay(Look, CancellationToken.None);
        }
    }

    [LoggerMessage(1010, LogLevel.Information, "{Count} connections closed in {Seconds:F1} s, {Cut} of them cut off; sessions that have not moved to other silos: {Left}, after {All:F1} s")]
    private partial void Drained(int count, double seconds, int cut, int left, double all);
}
