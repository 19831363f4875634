namespace Broker.Grains.Tests.Cluster;

/// <summary>The membership as this silo sees it.</summary>
internal sealed class SiloStatuses(SiloAddress local) : ISiloStatusOracle
{
    private readonly Dictionary<SiloAddress, SiloStatus> _all = new() { [local] = SiloStatus.Active };
    private readonly List<ISiloStatusListener> _listeners = [];

    public SiloStatus CurrentStatus => SiloStatus.Active;

    public string SiloName => "local";

    public SiloAddress SiloAddress => local;

    public void Set(SiloAddress silo, SiloStatus status)
    {
        _all[silo] = status;
        _listeners.ForEach(listener => listener.SiloStatusChangeNotification(silo, status));
    }

    public SiloStatus GetApproximateSiloStatus(SiloAddress siloAddress) => _all.GetValueOrDefault(siloAddress);

    public Dictionary<SiloAddress, SiloStatus> GetApproximateSiloStatuses(bool onlyActive = false) =>
        _all.Where(s => !onlyActive || s.Value == SiloStatus.Active).ToDictionary();

    public SiloAddress[] GetActiveSilos() => [.. GetApproximateSiloStatuses(onlyActive: true).Keys];

    public bool TryGetSiloName(SiloAddress siloAddress, out string siloName)
    {
        siloName = $"{siloAddress}";
        return _all.ContainsKey(siloAddress);
    }

    public bool IsFunctionalDirectory(SiloAddress siloAddress) => !IsDeadSilo(siloAddress);

    public bool IsDeadSilo(SiloAddress silo) => _all.GetValueOrDefault(silo) == SiloStatus.Dead;

    public bool SubscribeToSiloStatusEvents(ISiloStatusListener observer)
    {
        _listeners.Add(observer);
        return true;
    }

    public bool UnSubscribeFromSiloStatusEvents(ISiloStatusListener observer) => _listeners.Remove(observer);
}
