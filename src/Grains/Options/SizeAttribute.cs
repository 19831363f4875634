namespace Broker.Grains.Options;

/// <summary>Marks a number of bytes: configuration may write it with a unit (<c>64KiB</c>, <c>1MiB</c>).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SizeAttribute : Attribute;
