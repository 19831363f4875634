using Broker.Gateway.Tests.Hooks;
using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Sessions;
using Broker.Protocol;
using Broker.TestKit;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;

namespace Broker.Gateway.Tests.Sessions;

/// <summary>
/// A full queue of a client that is away is read when somebody has to decide what to drop. It must leave memory again, with its grain: there may be
/// many such clients.
/// </summary>
public sealed class WokenSessionTests
{
    private const string Away = "away";
    private const int MaxQueued = 10;

    [Fact]
    public async Task Session_that_was_loaded_without_its_client_has_a_grain_and_goes_with_it()
    {
        await using var broker = await InProcessBroker.StartAsync(static _ => { }, static options => options.Session.MaxQueued = MaxQueued);
        await using (var client = await ScriptedClient.ConnectAsync(broker.Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, Away, 600)))
        {
            await client.SubscribeAsync("t", 1);
            await client.DisconnectAsync();
        }

        var session = broker.Services.GetRequiredService<SessionTable>().Find(Away)!;
        var grains = broker.Services.GetRequiredService<IGrainFactory>();
        var grain = grains.GetGrain<ISessionGrain>(GrainKeys.Session(Away));
        await LeaveMemoryAsync(session, grain);

        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt);
        for (var number = 0; number < MaxQueued; number++)
        {
            await publisher.PublishAsync("t", "fits", 1);
        }

        Assert.Equal(SessionState.Dormant, session.State);
        await publisher.PublishAsync("t", "too many", 1);
        await Eventually.TrueAsync(() => session.State == SessionState.Ready, ScriptedClient.Patience, () => $"{session.State}");

        var management = grains.GetGrain<IManagementGrain>(0);
        await Eventually.TrueAsync(
            async () => await management.GetActivationAddress(grain) is not null, ScriptedClient.Patience, static () => "no activation");
        await LeaveMemoryAsync(session, grain);
    }

    /// <summary>As when its grain has been idle for long enough.</summary>
    private static async Task LeaveMemoryAsync(Session session, ISessionGrain grain)
    {
        await grain.Cast<IGrainManagementExtension>().DeactivateOnIdle();
        await Eventually.TrueAsync(() => session.State == SessionState.Dormant, ScriptedClient.Patience, () => $"{session.State}");
    }
}
