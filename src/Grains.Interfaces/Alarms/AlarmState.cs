namespace Broker.Grains.Interfaces.Alarms;

/// <summary>One occurrence of an alarm: raised once, cleared once. Two that differ only in being cleared are the same; cleared is the newer.</summary>
[GenerateSerializer, Immutable, Alias("broker.alarm")]
public sealed record AlarmState
{
    /// <summary>Id of the occurrence, 32 hexadecimal digits that sort by time.</summary>
    [Id(0)]
    public required string Occurrence { get; init; }

    /// <summary>What the alarm is about: the same for each occurrence, on whichever silo.</summary>
    [Id(1)]
    public required string Id { get; init; }

    /// <summary>Name of the silo that has raised it.</summary>
    [Id(2)]
    public required string Node { get; init; }

    [Id(3)]
    public AlarmSeverity Severity { get; init; }

    /// <summary>A few words.</summary>
    [Id(4)]
    public required string Title { get; init; }

    /// <summary>What is the matter, with figures.</summary>
    [Id(5)]
    public required string Summary { get; init; }

    /// <summary>Milliseconds since 1970.</summary>
    [Id(6)]
    public long RaisedAt { get; init; }

    /// <summary>Milliseconds since 1970; null while it is raised.</summary>
    [Id(7)]
    public long? ClearedAt { get; init; }
}
