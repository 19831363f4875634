namespace Broker.Grains.Wills;

/// <summary>A Will that is published at a time, unless its client is back before.</summary>
/// <param name="Due">Milliseconds since 1970.</param>
/// <param name="IsLeftByBroker">The broker ended the connection, by its stop or its death, and not the client or the network.</param>
public readonly record struct DelayedWill(Will Will, long Due, bool IsLeftByBroker);
