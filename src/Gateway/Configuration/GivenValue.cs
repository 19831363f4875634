namespace Broker.Gateway.Configuration;

/// <summary>A value that the operator has given.</summary>
/// <param name="Key">Full key, <c>Broker:Session:MaxInflight</c>.</param>
/// <param name="Value">As written.</param>
/// <param name="Source">Where it was given; decides the form in which messages name keys.</param>
internal sealed record GivenValue(string Key, string Value, ValueSource Source)
{
    /// <summary>The key as it was written, when that is not the full key: <c>--mqtt</c>.</summary>
    public string? ShortForm { get; init; }

    /// <summary>What there is instead of a value; null for a value. <see cref="Value"/> shows it then.</summary>
    public EmptyValue? Empty { get; init; }

    /// <summary>The key in the form in which it was given.</summary>
    public string Form => Source.Show(ShortForm ?? Source.Write(Key), Key);
}
