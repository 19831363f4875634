using Broker.Grains.Hooks;

namespace Broker.Gateway.Hosting;

/// <summary>Makes the hooks before the first client comes: one that cannot be made ends the start.</summary>
internal sealed class HookStartup(EventHub events, HookFolds folds, HookJudges judges) : IBrokerStartup
{
    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken)
    {
        events.Open();
        folds.Open();
        judges.Open();
        return Task.CompletedTask;
    }
}
