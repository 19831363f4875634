using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Broker.Protocol;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Cluster;

/// <summary>Expiry of sessions and delay of Wills go on while the silo that had them, or every silo, is down.</summary>
public sealed class AdoptedTimeTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private AdoptingSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await AdoptingSilo.StartAsync();

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync() => await _silo.DisposeAsync();

    [Theory]
    [InlineData(60, false)]
    [InlineData(7200, true)]
    public async Task Session_expires_as_long_after_the_end_of_its_silo_as_its_interval_says(uint expiry, bool isThere)
    {
        await AddAsync("c", expiry);
        await _silo.OtherDiesAsync("1 hour");
        await _silo.Adoption.AdoptAllAsync().WaitAsync(Patience);

        Assert.Equal(isThere, (await ConnectAsync("c")).SessionPresent);
    }

    [Fact]
    public async Task What_is_left_of_an_interval_is_what_has_not_passed_when_the_session_is_taken_over()
    {
        await AddAsync("c", expiry: 7200);
        await _silo.OtherDiesAsync("1 hour");
        await _silo.Adoption.AdoptAllAsync().WaitAsync(Patience);

        _silo.Time.Pass(TimeSpan.FromSeconds(3400));
        Assert.True(await IsThereAsync());
        _silo.Time.Pass(TimeSpan.FromSeconds(300));
        Assert.False(await IsThereAsync());

        async Task<bool> IsThereAsync() => !await _silo.Lifecycle.ExpireAsync("c");
    }

    [Fact]
    public async Task Client_with_a_short_interval_has_it_whole_when_its_silo_has_just_died()
    {
        await AddAsync("c", expiry: 2);
        await _silo.OtherDiesAsync("3 seconds");
        await _silo.Adoption.AdoptAllAsync().WaitAsync(Patience);

        Assert.True((await ConnectAsync("c")).SessionPresent);
    }

    [Theory]
    [InlineData(600, 6, 0)]
    [InlineData(7200, 6, 1)]
    [InlineData(7200, 3700, 0)]
    public async Task Delay_of_a_Will_has_gone_on_and_its_client_has_a_moment_all_the_same(uint delay, int seconds, int waiting)
    {
        await AddAsync("c", expiry: uint.MaxValue, delay);
        await _silo.OtherDiesAsync("1 hour");
        await _silo.Adoption.AdoptAllAsync().WaitAsync(Patience);

        _silo.Wills.Tick();
        Assert.Equal(1, _silo.Wills.DelayedCount);
        _silo.Time.Pass(TimeSpan.FromSeconds(seconds));
        _silo.Wills.Tick();
        Assert.Equal(waiting, _silo.Wills.DelayedCount);
        await _silo.Store.FlushAsync();
        Assert.Equal(waiting, await _silo.CountAsync("broker_will"));
    }

    [Fact]
    public async Task Will_without_a_session_has_waited_as_well()
    {
        await _silo.Other.WriteAsync(batch => batch.PutWill(new WillRow("c", Message(), 600, null)));
        await _silo.OtherDiesAsync("1 hour");
        await _silo.Adoption.AdoptAllAsync().WaitAsync(Patience);

        Assert.Equal(1, _silo.Wills.DelayedCount);
        _silo.Time.Pass(TimeSpan.FromSeconds(6));
        _silo.Wills.Tick();
        Assert.Equal(0, _silo.Wills.DelayedCount);
    }

    private async Task AddAsync(string clientId, uint expiry, uint? delay = null)
    {
        var number = _silo.Other.NextSessionNumber();
        await _silo.Other.WriteAsync(batch =>
        {
            batch.PutSession(Session(number, clientId, 1) with { ExpiryInterval = expiry });
            if (delay is { } seconds)
            {
                batch.PutWill(new WillRow(clientId, Message(), seconds, null));
            }
        });
    }

    private Task<SessionGrant> ConnectAsync(string clientId) => _silo.Lifecycle.ConnectAsync(clientId, new SessionClaim
    {
        CleanStart = false, ExpiryInterval = 3600, Version = ProtocolVersion.Mqtt5,
    }).WaitAsync(Patience);
}
