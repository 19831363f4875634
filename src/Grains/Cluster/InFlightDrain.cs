namespace Broker.Grains.Cluster;

/// <summary>Waits for what this silo has under way to others, which a session's move must not meet halfway.</summary>
public sealed class InFlightDrain(RoutingGate gate, Peers peers)
{
    /// <summary>
    /// This silo's part of <c>ISiloInbox.DrainTowards</c>. Only the former silo of a session matters to its move: what is under way to the
    /// new one may wait for the very session, and so for the move.
    /// </summary>
    public async Task DrainAsync(SiloAddress silo)
    {
        await gate.PassedAsync();
        RefuseIfKept();
        await (peers.Find(silo)?.Edge.DrainedAsync() ?? Task.CompletedTask);
        RefuseIfKept();
    }

    /// <summary>This silo's part of <c>ISiloInbox.Drain</c>.</summary>
    public async Task DrainAsync()
    {
        await gate.PassedAsync();
        RefuseIfKept();
        await Task.WhenAll(peers.Living.Select(static p => p.Edge.DrainedAsync()));

        // The edge of a silo that has died meanwhile has given back what it had.
        RefuseIfKept();
    }

    /// <summary>What is kept for a dead silo is under way, and nobody can say yet to where: the move is tried again when it is settled.</summary>
    private void RefuseIfKept()
    {
        if (peers.All.FirstOrDefault(static p => p.IsDead) is { } dead)
        {
            throw new InvalidOperationException($"Silo {dead.Address} is dead and not settled yet.");
        }
    }
}
