namespace Broker.Grains.Topics;

/// <summary>
/// The silos that may hold sessions: from Active until they are known to be dead. One that shuts down still counts,
/// because its sessions have not moved yet.
/// </summary>
public sealed class LiveSilos : ISiloStatusListener, IDisposable
{
    private readonly ISiloStatusOracle _oracle;
    private int _version = 1;

    public LiveSilos(ISiloStatusOracle oracle)
    {
        _oracle = oracle;
        oracle.SubscribeToSiloStatusEvents(this);
    }

    /// <summary>Told when the set changes, after <see cref="Version"/> has; on any thread.</summary>
    public event Action? Changed;

    /// <summary>Grows with every change: who has seen it need not ask again.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>This silo.</summary>
    public SiloAddress Local => _oracle.SiloAddress;

    /// <summary>The live silos now.</summary>
    public IReadOnlyCollection<SiloAddress> All =>
        [.. _oracle.GetApproximateSiloStatuses(onlyActive: false).Where(static s => IsLive(s.Value)).Select(static s => s.Key)];

    /// <summary>Silos that are known to be dead.</summary>
    public SiloAddress[] Dead =>
        [.. _oracle.GetApproximateSiloStatuses(onlyActive: false).Where(static s => s.Value == SiloStatus.Dead).Select(static s => s.Key)];

    /// <summary>Whether a silo will never answer again.</summary>
    public bool IsGone(SiloAddress silo) => _oracle.IsDeadSilo(silo);

    /// <inheritdoc />
    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        Interlocked.Increment(ref _version);
        Changed?.Invoke();
    }

    /// <inheritdoc />
    public void Dispose() => _oracle.UnSubscribeFromSiloStatusEvents(this);

    private static bool IsLive(SiloStatus status) =>
        status is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping;
}
