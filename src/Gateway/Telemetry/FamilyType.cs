namespace Broker.Gateway.Telemetry;

/// <summary>Type of a metric in the text format of Prometheus.</summary>
internal enum FamilyType
{
    Counter,
    Gauge,
    Histogram,
}
