namespace Broker.Tests.Support;

/// <summary>Tests that measure, or that load both cores: they run alone, after the others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class HeavyCollection
{
    public const string Name = "Heavy";
}
