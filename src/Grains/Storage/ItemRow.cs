namespace Broker.Grains.Storage;

/// <summary>A small thing of the broker's own that outlives it: an alarm.</summary>
/// <param name="Kind">What it is; a constant of whoever writes it.</param>
/// <param name="Key">Its name among those of its kind.</param>
/// <param name="Rank">An item is replaced by one of the same or a higher rank only, whichever is written last.</param>
public sealed record ItemRow(string Kind, string Key, int Rank, byte[] Value);
