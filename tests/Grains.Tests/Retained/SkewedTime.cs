namespace Broker.Grains.Tests.Retained;

/// <summary>A clock that the test sets.</summary>
internal sealed class SkewedTime(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}
