using System.Collections.Concurrent;
using System.Net;
using Broker.Gateway.Connections;
using Broker.Grains.Cluster;
using Broker.Grains.Storage.Postgres;
using Broker.Grains.Tests.Storage;
using Broker.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Gateway.Tests.Connections;

/// <summary>A silo that is out of its time acknowledges nothing: the others may have its sessions (promise 4).</summary>
public sealed class SiloTimeTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<(ushort PacketId, ReasonCode Reason)> _sent = new();
    private readonly Declared _dead = new();
    private string _database = "";
    private bool _isLeaving;
    private PostgresMessageStore _store = null!;
    private ClusterStore _cluster = null!;
    private SiloTime _time = null!;
    private PublishAcknowledgements _acknowledgements = null!;

    public async Task InitializeAsync()
    {
        _database = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        await SetRenewalAsync("UPDATE broker_silo SET alive_until = clock_timestamp() + p_time WHERE owner = p_owner; RETURN true;");
        _store = new PostgresMessageStore(
            new PostgresStoreOptions { ConnectionString = _database, IsShared = true }, NullLogger<PostgresMessageStore>.Instance);
        await _store.OpenAsync(CancellationToken.None);
        var options = new ClusterStoreOptions
        {
            ConnectionString = _database, Cluster = "test", SiloTime = TimeSpan.FromMilliseconds(400),
        };
        _cluster = new ClusterStore(options, _store);
        _time = new SiloTime(_cluster, options, _dead, () => _isLeaving, NullLogger<SiloTime>.Instance);
        _acknowledgements = new PublishAcknowledgements((_, packetId, reason) => _sent.Enqueue((packetId, reason)), _time);
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _time.DisposeAsync();
        await _cluster.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task What_is_committed_while_the_silo_is_out_of_its_time_is_acknowledged_in_order_when_it_is_back_in_it()
    {
        await StartAsync();
        _acknowledgements.Add(PacketType.PubAck, 1, ReasonCode.Success);
        await UntilAsync(() => !_sent.IsEmpty, "an acknowledgement");

        await SetRenewalAsync("RAISE EXCEPTION 'out of reach';");
        await UntilAsync(() => !_time.IsValid, "the silo to be out of its time");
        _acknowledgements.Add(PacketType.PubAck, 2, ReasonCode.NoMatchingSubscribers);
        _acknowledgements.AddWaiting(PacketType.PubAck, 3, ReasonCode.Success).Published(ReasonCode.Success);
        _acknowledgements.AddWaiting(PacketType.PubRec, 4, ReasonCode.Success).Published(ReasonCode.QuotaExceeded);
        Assert.Equal([1], Sent());

        await SetRenewalAsync("UPDATE broker_silo SET alive_until = clock_timestamp() + p_time WHERE owner = p_owner; RETURN true;");
        await UntilAsync(() => _sent.Count == 4, "the acknowledgements");
        Assert.Equal([1, 2, 3, 4], Sent());
        Assert.Equal(ReasonCode.QuotaExceeded, _sent.Last().Reason);
        Assert.False(_dead.IsDead);
    }

    [Fact]
    public async Task How_long_the_silo_has_been_in_its_time_counts_anew_after_each_time_that_it_was_out_of_it()
    {
        await StartAsync();
        await UntilAsync(() => _time.InFor > TimeSpan.FromSeconds(1), "more than one of its times without a gap");

        await SetRenewalAsync("RAISE EXCEPTION 'out of reach';");
        await UntilAsync(() => _time.InFor == TimeSpan.Zero, "the silo to be out of its time");
        var seenOut = Environment.TickCount64;
        await SetRenewalAsync("UPDATE broker_silo SET alive_until = clock_timestamp() + p_time WHERE owner = p_owner; RETURN true;");
        await UntilAsync(() => _time.InFor > TimeSpan.Zero, "the silo to be in its time again");
        Assert.InRange(_time.InFor.TotalMilliseconds, 0, Environment.TickCount64 - seenOut);
    }

    [Fact]
    public void A_refusal_is_true_at_any_time()
    {
        Assert.False(_time.IsValid);
        _acknowledgements.AddWaiting(PacketType.PubAck, 1, ReasonCode.Success).Published(ReasonCode.QuotaExceeded);
        _acknowledgements.AddWaiting(PacketType.PubAck, 2, ReasonCode.Success).Published(ReasonCode.Success);

        Assert.Equal([1], Sent());
        Assert.False(_time.ValidAsync().IsCompleted);
    }

    [Fact]
    public async Task A_silo_that_was_declared_dead_ends_and_never_acknowledges_again()
    {
        await StartAsync();
        await SetRenewalAsync("RETURN false;");
        await UntilAsync(() => _dead.IsDead && !_time.IsValid, "the end of the silo");
        await SetRenewalAsync("RETURN true;");
        _acknowledgements.Add(PacketType.PubAck, 1, ReasonCode.Success);

        Assert.False(_time.ValidAsync().IsCompleted);
        Assert.Empty(_sent);
    }

    [Fact]
    public async Task A_silo_that_leaves_by_itself_is_not_declared_dead_and_acknowledges_nothing_when_its_time_is_over()
    {
        await StartAsync();
        _isLeaving = true;
        await SetRenewalAsync("RETURN false;");
        await UntilAsync(() => !_time.IsValid, "the end of its time");
        _acknowledgements.Add(PacketType.PubAck, 1, ReasonCode.Success);

        Assert.False(_dead.IsDead);
        Assert.Empty(_sent);
    }

    private int[] Sent() => [.. _sent.Select(static s => (int)s.PacketId)];

    private Task StartAsync() => _time.StartAsync(SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1), CancellationToken.None);

    private Task SetRenewalAsync(string body) => PostgresTestServer.ExecuteAsync(
        _database,
        $"""
        CREATE OR REPLACE FUNCTION broker_renew(p_owner bigint, p_time interval) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN {body} END
        $$
        """);

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        var deadline = Environment.TickCount64 + (long)Limit.TotalMilliseconds;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < deadline, $"not within {Limit.TotalSeconds} s: {what}");
            await Task.Delay(5);
        }
    }

    private sealed class Declared : IFatalErrorHandler
    {
        public bool IsDead { get; private set; }

        public bool IsUnexpected(Exception exception) => true;

        public void OnFatalException(object? sender, string? context, Exception? exception) => IsDead = true;
    }
}
