using Broker.Gateway.Listeners;
using Broker.Gateway.Tests.Hooks;
using Broker.Grains.Alarms;
using Broker.TestKit;
using Broker.TestKit.Clients;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Listeners;

/// <summary>The alarm of a silo that has as many connections as it may.</summary>
public sealed class ConnectionsFullTests
{
    [Fact]
    public async Task Refused_connection_raises_an_alarm_that_is_over_when_none_was_refused_for_a_while()
    {
        await using var broker = await InProcessBroker.StartAsync(static _ => { }, static options => options.Listeners.MaxConnections = 1);
        var services = broker.Services;
        var alarms = services.GetRequiredService<AlarmService>();
        var silo = services.GetRequiredService<ILocalSiloDetails>();
        var id = $"connections_full/{silo.Name}";
        await using var first = await ScriptedClient.ConnectAsync(broker.Mqtt);
        Assert.False(alarms.IsRaised(id));

        await Assert.ThrowsAnyAsync<Exception>(() => ScriptedClient.ConnectAsync(broker.Mqtt));
        await Eventually.TrueAsync(() => alarms.IsRaised(id), TimeSpan.FromSeconds(10), () => "the alarm is raised");
        await first.PingAsync();

        // The same cause, looked at by a clock of the test's own.
        var time = new Clock();
        var cause = new ConnectionsFull(services.GetRequiredService<ConnectionGate>(), silo, time);
        cause.Look(alarms);
        time.Now = ConnectionsFull.Calm - TimeSpan.FromSeconds(1);
        cause.Look(alarms);
        Assert.True(alarms.IsRaised(id));
        time.Now = ConnectionsFull.Calm;
        cause.Look(alarms);
        Assert.False(alarms.IsRaised(id));
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
