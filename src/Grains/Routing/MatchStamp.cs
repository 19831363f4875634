namespace Broker.Grains.Routing;

/// <summary>State of the part of the index that decides about a topic; see <see cref="ChangeStripes" />.</summary>
internal readonly record struct MatchStamp(int Stripe, long Changes, long WildChanges);
