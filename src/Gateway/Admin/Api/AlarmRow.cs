using System.Text.Json;
using Broker.Grains.Interfaces.Alarms;

namespace Broker.Gateway.Admin.Api;

/// <summary>An alarm as it is shown: by HTTP, and as the payload of its topics.</summary>
internal sealed record AlarmRow(
    string Id, string Severity, string Title, string Summary, string Node, DateTimeOffset Raised, DateTimeOffset? Cleared)
{
    public static AlarmRow Of(AlarmState state) => new(
        state.Id,
        JsonNamingPolicy.CamelCase.ConvertName(state.Severity.ToString()),
        state.Title,
        state.Summary,
        state.Node,
        DateTimeOffset.FromUnixTimeMilliseconds(state.RaisedAt),
        state.ClearedAt is { } time ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null);
}

/// <summary>Body of <c>GET /api/v1/alarms</c>.</summary>
/// <param name="Raised">The latest first.</param>
/// <param name="History">Those that were cleared, the latest first.</param>
internal sealed record AlarmsAnswer(IReadOnlyList<AlarmRow> Raised, IReadOnlyList<AlarmRow> History);
