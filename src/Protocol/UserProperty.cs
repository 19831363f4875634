namespace Broker.Protocol;

/// <summary>A User Property (MQTT 5.0): name and value; the same name may occur more than once, and order counts.</summary>
public readonly record struct UserProperty(string Name, string Value);
