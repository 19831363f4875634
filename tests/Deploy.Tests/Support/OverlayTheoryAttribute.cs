using System.Reflection;
using Xunit.Sdk;

namespace Broker.Deploy.Tests.Support;

/// <summary>A test of each rendered overlay: skipped, with the reason, where they cannot be rendered.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OverlayTheoryAttribute : TheoryAttribute
{
    public OverlayTheoryAttribute() => Skip = Overlay.Obstacle;
}

/// <summary>Runs a theory for both overlays.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EveryOverlayAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [["single"], ["cluster"]];
}
