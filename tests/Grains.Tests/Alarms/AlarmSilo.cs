using System.Net;
using Broker.Grains.Alarms;
using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Tests.Cluster;
using Broker.Grains.Tests.SessionModel;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Grains.Tests.Alarms;

/// <summary>The alarms of one silo, which others may be told of and which sweeps.</summary>
internal sealed class AlarmSilo : IDisposable, ILocalSiloDetails
{
    private long _told;

    public AlarmSilo(byte host, ManualTime time, AlarmOptions? options = null, bool isCluster = true, MemoryRows? rows = null)
    {
        SiloAddress = AddressOf(host);
        options ??= new AlarmOptions();
        Statuses = new SiloStatuses(SiloAddress);
        Store = new MemoryStore(rows ?? new MemoryRows());
        Service = new AlarmService(options, Store, new MessageIdSource(Store, time), this, time, NullLogger<AlarmService>.Instance);
        Sweep = new AlarmSweep(
            Service, options, client => Sessions.TryGetValue(client, out var isHigh) ? isHigh : null, this, Statuses, time,
            NullLogger<AlarmSweep>.Instance, isCluster ? (client, _) => Task.FromResult(Stored.Contains(client)) : null);
    }

    /// <summary>Names of silos are their addresses, as <see cref="SiloStatuses"/> has it.</summary>
    public string Name => $"{SiloAddress}";

    public string ClusterId => "test";

    public string DnsHostName => "test";

    public SiloAddress SiloAddress { get; }

    public SiloAddress GatewayAddress => SiloAddress;

    public SiloStatuses Statuses { get; }

    public MemoryStore Store { get; }

    public AlarmService Service { get; }

    public AlarmSweep Sweep { get; }

    /// <summary>Its sessions, and whether their queues are high.</summary>
    public Dictionary<string, bool> Sessions { get; } = [];

    /// <summary>Durable sessions of the cluster.</summary>
    public HashSet<string> Stored { get; } = [];

    public IEnumerable<string> Raised => Service.Raised().Select(static a => a.Id);

    public static SiloAddress AddressOf(byte host) => SiloAddress.New(new IPEndPoint(new IPAddress([10, 0, 0, host]), 1), 1);

    public void Raise(string id) => Service.Raise(id, AlarmSeverity.Warning, "title", "summary");

    public Task SweepAsync() => Sweep.SweepAsync(CancellationToken.None);

    /// <summary>Tells another silo what has changed since the last time.</summary>
    public void Tell(AlarmSilo other)
    {
        var (version, changes) = Service.ChangedAfter(_told);
        other.Service.Learn(changes);
        _told = version;
    }

    public void Dispose()
    {
        Sweep.Dispose();
        Service.Dispose();
    }
}
