using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Tests.Storage;
using Broker.Protocol;
using Npgsql;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Cluster;

/// <summary>Wills of clients that are back while the sessions of their silo, which has died, are still being taken over.</summary>
public sealed class AdoptedWillTests : IAsyncLifetime, IAsyncDisposable
{
    private const string Early = "early";
    private const string Late = "late";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private AdoptingSilo _silo = null!;

    public async Task InitializeAsync()
    {
        _silo = await AdoptingSilo.StartAsync();
        foreach (var clientId in new[] { Early, Late })
        {
            var number = _silo.Other.NextSessionNumber();
            await _silo.Other.WriteAsync(batch =>
            {
                batch.PutSession(Session(number, clientId, 1));
                batch.PutWill(new WillRow(clientId, Message("old"), 0, null));
            });
        }

        await _silo.OtherDiesAsync();
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task Will_of_a_client_that_is_back_without_one_is_not_published_and_leaves_no_row()
    {
        await WhileOthersAreTakenOverAsync(async () =>
        {
            await ConnectAsync(will: null);
            Assert.False(_silo.Wills.IsDelayed(Early));
        });

        Assert.False(_silo.Wills.IsDelayed(Early));
        Assert.True(_silo.Wills.IsDelayed(Late));
        Assert.Equal([Late], (await _silo.Cluster.WillsAsync(CancellationToken.None)).Select(static w => w.Row.ClientId));
    }

    [Fact]
    public async Task Client_that_is_back_with_another_Will_keeps_the_row_of_that_one()
    {
        await WhileOthersAreTakenOverAsync(() => ConnectAsync(new WillClaim
        {
            Bytes = [.. "tnew"u8], TopicLength = 1, PropertiesLength = 0, Qos = QualityOfService.AtLeastOnce, Retain = false, DelayInterval = 7,
        }));

        Assert.False(_silo.Wills.IsDelayed(Early));
        var row = Assert.Single(await _silo.Cluster.WillsAsync(CancellationToken.None), static w => w.Row.ClientId == Early);
        Assert.Equal(7u, row.Row.DelayInterval);
    }

    [Fact]
    public async Task Client_that_goes_on_to_another_silo_leaves_no_Will_behind()
    {
        await WhileOthersAreTakenOverAsync(async () =>
        {
            Assert.NotNull(_silo.Lifecycle.Depart(Early));
            await _silo.Lifecycle.FlushAsync(Early);
        });

        Assert.NotNull(_silo.Lifecycle.Depart(Early));
        await _silo.Store.FlushAsync();
        Assert.False(_silo.Wills.IsDelayed(Early));
        Assert.Equal([Late], (await _silo.Cluster.WillsAsync(CancellationToken.None)).Select(static w => w.Row.ClientId));
    }

    [Fact]
    public async Task Taken_over_in_an_attempt_that_failed_it_comes_with_its_session_in_the_next_one()
    {
        // Found last: its client has no session.
        await _silo.Other.WriteAsync(batch => batch.PutWill(new WillRow("without", Message("old"), 0, null)));
        await _silo.ExecuteAsync("ALTER TABLE broker_subscription RENAME TO unreadable");
        await Assert.ThrowsAnyAsync<Exception>(() => _silo.Adoption.AdoptAllAsync().WaitAsync(Patience));
        Assert.Empty(_silo.Sessions.All);
        Assert.Equal(0, _silo.Wills.DelayedCount);

        await _silo.ExecuteAsync("ALTER TABLE unreadable RENAME TO broker_subscription");
        await _silo.Adoption.AdoptAllAsync().WaitAsync(Patience);
        Assert.Equal(2, _silo.Sessions.Count);
        Assert.Equal(3, _silo.Wills.DelayedCount);
    }

    /// <summary>Does something when the early client's session is here, and the late one's cannot be taken yet.</summary>
    private async Task WhileOthersAreTakenOverAsync(Func<Task> act)
    {
        await using var connection = new NpgsqlConnection(_silo.Database + ";Pooling=false");
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand($"SELECT FROM broker_session WHERE client_id = '{Late}' FOR UPDATE", connection, transaction))
        {
            await hold.ExecuteNonQueryAsync();
        }

        var adopting = _silo.Adoption.AdoptAllAsync();
        await EventuallyAsync(() => _silo.Sessions.Find(Early) is not null, "the early session is here");
        await act();
        Assert.False(adopting.IsCompleted);
        await transaction.RollbackAsync();
        await adopting.WaitAsync(Patience);
        Assert.NotNull(_silo.Sessions.Find(Late));
    }

    private async Task ConnectAsync(WillClaim? will)
    {
        var grant = await _silo.Lifecycle.ConnectAsync(Early, new SessionClaim
        {
            CleanStart = false, ExpiryInterval = 3600, Version = ProtocolVersion.Mqtt5, Will = will,
        }).WaitAsync(Patience);
        Assert.True(grant.SessionPresent);
    }
}
