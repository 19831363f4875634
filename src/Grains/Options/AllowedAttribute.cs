namespace Broker.Grains.Options;

/// <summary>
/// The values a setting accepts, both ends included, in the form in which configuration writes them
/// (<c>10</c>, <c>64KiB</c>, <c>20s</c>). Start-up refuses anything else and quotes this range.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AllowedAttribute(string minimum, string maximum) : Attribute
{
    /// <summary>Smallest accepted value.</summary>
    public string Minimum { get; } = minimum;

    /// <summary>Largest accepted value; <c>never</c> for a time without end.</summary>
    public string Maximum { get; } = maximum;

    /// <summary>What 0 stands for, if it stands for something else than itself ("unlimited", "off").</summary>
    public string? ZeroMeans { get; init; }

    /// <summary>
    /// Whether a time is used in whole seconds, because clients tell it and are told it in those: a fraction would be cut off, and half a
    /// second would become 0, which often means something else.
    /// </summary>
    public bool WholeSeconds { get; init; }
}
