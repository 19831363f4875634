namespace Broker.Grains.Options;

/// <summary>Shared subscriptions. Section <c>Broker:Shared</c>.</summary>
public sealed class SharedOptions
{
    /// <summary>How groups choose the member that gets a message.</summary>
    public SharedStrategy Strategy { get; set; } = SharedStrategy.RoundRobin;

    /// <summary>
    /// Groups with a strategy of their own, <c>group=strategy,group=strategy</c>, by the name of the group;
    /// <c>$queue</c> is that of <c>$queue/…</c>.
    /// </summary>
    [AllowedText("group=strategy, separated by commas")]
    public string Strategies { get; set; } = "";
}
