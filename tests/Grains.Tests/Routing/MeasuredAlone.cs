using Xunit;

namespace Broker.Grains.Tests.Routing;

/// <summary>Tests that measure the heap of the whole process and so must not run beside others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MeasuredAlone
{
    public const string Name = "measured alone";
}
