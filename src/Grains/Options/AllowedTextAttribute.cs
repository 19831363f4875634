namespace Broker.Grains.Options;

/// <summary>Says in words what a text setting accepts; <c>OptionsRules</c> checks it.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AllowedTextAttribute(string text) : Attribute
{
    /// <summary>For the refusal and for docs/configuration.md.</summary>
    public string Text { get; } = text;
}
