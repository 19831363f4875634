namespace Broker.Gateway.Options;

/// <summary>Says in words what a text setting accepts; <c>OptionsRules</c> checks it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AllowedTextAttribute(string text) : Attribute
{
    /// <summary>For the refusal and for docs/configuration.md.</summary>
    public string Text { get; } = text;
}
