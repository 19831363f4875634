namespace Broker.Grains.Interfaces.Alarms;

/// <summary>How bad it is.</summary>
[GenerateSerializer]
public enum AlarmSeverity
{
    /// <summary>Something to look at.</summary>
    Warning,

    /// <summary>Something does not work as it should.</summary>
    Error,

    /// <summary>Clients are not served as they should be.</summary>
    Critical,
}
