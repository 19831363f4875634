using System.Text.Json;
using Broker.Gateway.Admin.Api;
using Broker.Grains.Alarms;
using Broker.Grains.Interfaces.Alarms;

namespace Broker.Gateway.Sys;

/// <summary>Publishes alarms that this silo has raised or cleared, on <c>alarms/&lt;id&gt;/alert</c> and <c>…/clear</c> of the silo that raised them.</summary>
internal sealed class AlarmAnnouncer(AlarmService alarms, SysTopics topics) : IHostedService
{
    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken)
    {
        alarms.Changed += Announce;
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken)
    {
        alarms.Changed -= Announce;
        return Task.CompletedTask;
    }

    private void Announce(AlarmState state)
    {
        if (topics.HasSubscribers)
        {
            topics.PublishFor(
                state.Node,
                $"alarms/{SysTopics.LevelOf(state.Id)}/{(state.ClearedAt is null ? "alert" : "clear")}",
                JsonSerializer.SerializeToUtf8Bytes(AlarmRow.Of(state), ApiJson.Default.AlarmRow));
        }
    }
}
