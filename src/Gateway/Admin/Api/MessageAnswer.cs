using Broker.Grains.Interfaces.Diagnostics;

namespace Broker.Gateway.Admin.Api;

/// <summary>Body of <c>GET /api/v1/messages/{id}</c>.</summary>
/// <param name="Accepted">When the broker has accepted the message; stands in the id.</param>
/// <param name="Node">Number of the silo that has accepted it; stands in the id.</param>
/// <param name="Places">Empty when nobody knows anything of it, any more or at all.</param>
/// <param name="Missing">Silos that did not answer.</param>
internal sealed record MessageAnswer(
    string Id, DateTimeOffset Accepted, int Node, IReadOnlyList<MessageRow> Places, IReadOnlyList<string> Missing);

/// <summary>Where a message is for one client.</summary>
internal sealed record MessageRow(string Client, string State, int? PacketId, DateTimeOffset? Time, string? Reason)
{
    public static MessageRow Of(MessagePlace place) => new(
        place.ClientId,
        place.State,
        place.PacketId == 0 ? null : place.PacketId,
        place.Time == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(place.Time),
        place.Reason);
}
