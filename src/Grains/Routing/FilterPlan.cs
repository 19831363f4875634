namespace Broker.Grains.Routing;

/// <summary>What to look for, for topics of so many levels.</summary>
/// <param name="Version">Of the shapes when it was made; good for as long as it is the same.</param>
/// <param name="Shapes">The shapes of which a filter can match.</param>
internal sealed record FilterPlan(long Version, FilterShape[] Shapes);
