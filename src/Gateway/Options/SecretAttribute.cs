namespace Broker.Gateway.Options;

/// <summary>Marks a value that no message, log line or listing may show.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecretAttribute : Attribute;
