namespace Broker.Grains.Hooks;

/// <summary>Names of events, as the webhook and its configuration write them.</summary>
public static class BrokerEventKinds
{
    private static readonly string[] Names =
    [
        "client.connected", "client.disconnected", "client.subscribe", "client.unsubscribe", "message.publish", "message.delivered",
        "message.acked", "message.dropped", "session.created", "session.resumed", "session.taken_over", "session.expired",
    ];

    /// <summary>All names, in the order of the kinds.</summary>
    public static IReadOnlyList<string> All => Names;

    /// <summary>Name of a kind.</summary>
    public static string NameOf(BrokerEventKind kind) => Names[(int)kind];

    /// <summary>Reads names separated by commas; nothing, or <c>*</c>, is all of them.</summary>
    public static bool TryParse(string text, out IReadOnlyList<BrokerEventKind> kinds)
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        kinds = names is [] or ["*"]
            ? Enum.GetValues<BrokerEventKind>()
            : [.. names.Select(static name => (BrokerEventKind)Array.IndexOf(Names, name))];
        return kinds.All(static kind => kind >= 0);
    }
}
