using Broker.Gateway.Auth;
using Broker.Gateway.Auth.Enhanced;
using Broker.Gateway.Options;
using Broker.Gateway.Sys;
using Broker.Gateway.Topics;
using Broker.Gateway.Tracing;
using Broker.Grains.Cluster;
using Broker.Grains.Diagnostics;
using Broker.Grains.Exclusive;
using Broker.Grains.Hooks;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Retained;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Grains.Storage;
using Broker.Grains.Topics;

namespace Broker.Gateway.Connections;

/// <summary>What every connection of a silo shares.</summary>
internal sealed record ConnectionServices(
    AuthenticationChain Authentication,
    EnhancedAuthentication EnhancedAuthentication,
    AccessControl Access,
    SessionTable Sessions,
    SessionLifecycle Lifecycle,
    MessageRouter Router,
    RetainedMessages Retained,
    IMessageStore Store,
    AckGraceQueue Grace,
    MessageIdSource Ids,
    DropLedger Drops,
    IGrainFactory Grains,
    ConnectionRegistry Registry,
    KeepAliveWheel Wheel,
    ConnectTurns Turns,
    ConnectionMetrics Metrics,
    ClientPresence Presence,
    HookFolds Hooks,
    ConnectionEvents Events,
    Traces Traces,
    PublishRules Rules,
    AutoSubscriptions AutoSubscriptions,
    ExclusiveSubscriptions Exclusive,
    SessionOptions SessionOptions,
    LimitOptions Limits,
    MqttOptions Mqtt,
    TimeProvider Time,
    ILogger<ClientConnection> Logger,
    LocalInterest Interest,
    SharedGroups Shared,
    LiveSilos Silos,
    RemoteRouting? Remote = null,
    RoutingGate? Gate = null,
    RepeatedPublishes? Repeats = null,
    SiloTime? SiloTime = null)
{
    /// <summary>Whether other silos may have sessions.</summary>
    public bool IsCluster => Remote is not null;
}
