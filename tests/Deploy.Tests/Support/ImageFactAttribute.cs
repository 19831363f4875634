namespace Broker.Deploy.Tests.Support;

/// <summary>A test in a root of its own: skipped, with the reason, where there cannot be one.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ImageFactAttribute : FactAttribute
{
    public ImageFactAttribute() => Skip = ImageProcess.Obstacle;
}
