namespace Broker.Gateway.Admin.Api;

/// <summary>Body of <c>GET /api/v1/drops</c>.</summary>
/// <param name="Counts">Messages dropped by reason, of all silos that answered, each since its start.</param>
/// <param name="Drops">By client, topic, reason and silo, the latest first.</param>
/// <param name="Forgotten">Drops in <paramref name="Counts"/> whose client and topic are not remembered any more.</param>
/// <param name="HasMore">Whether there may be more than <c>limit</c> let through.</param>
/// <param name="Missing">Silos that did not answer.</param>
internal sealed record DropsAnswer(
    SortedDictionary<string, long> Counts, IReadOnlyList<DropsRow> Drops, long Forgotten, bool HasMore, IReadOnlyList<string> Missing);

/// <summary>Messages of one topic that one silo has dropped for one client and one reason.</summary>
internal sealed record DropsRow(
    string Client, string Topic, string Reason, long Count, DateTimeOffset First, DateTimeOffset Last, string? LastMessage, string Silo);
