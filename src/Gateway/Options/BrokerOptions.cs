using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>Everything that can be configured, section <c>Broker</c>. Read once, checked whole before anything starts.</summary>
public sealed class BrokerOptions
{
    public DataOptions Data { get; set; } = new();

    public ListenersOptions Listeners { get; set; } = new();

    public HttpOptions Http { get; set; } = new();

    public SessionOptions Session { get; set; } = new();

    public LimitOptions Limits { get; set; } = new();

    public MqttOptions Mqtt { get; set; } = new();

    public TopicOptions Topics { get; set; } = new();

    public DelayedOptions Delayed { get; set; } = new();

    public RetainedOptions Retained { get; set; } = new();

    public SharedOptions Shared { get; set; } = new();

    public LedgerOptions Ledger { get; set; } = new();

    public StoreOptions Store { get; set; } = new();

    public ClusterOptions Cluster { get; set; } = new();

    public RebalanceOptions Rebalance { get; set; } = new();

    public AuthOptions Auth { get; set; } = new();

    public AdminOptions Admin { get; set; } = new();

    public MetricsOptions Metrics { get; set; } = new();

    public DashboardOptions Dashboard { get; set; } = new();

    public AlarmOptions Alarms { get; set; } = new();

    public HookOptions Hooks { get; set; } = new();

    public WebhookOptions Webhook { get; set; } = new();

    public SysOptions Sys { get; set; } = new();

    public TraceOptions Trace { get; set; } = new();

    public LogOptions Log { get; set; } = new();

    public ShutdownOptions Shutdown { get; set; } = new();

    public RuntimeOptions Runtime { get; set; } = new();
}
