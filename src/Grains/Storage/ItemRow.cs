namespace Broker.Grains.Storage;

/// <summary>A small thing that belongs to no session and outlives the broker: an alarm, the state of a grain.</summary>
/// <param name="Kind">What it is; a constant of whoever writes it.</param>
/// <param name="Key">Its name among those of its kind.</param>
/// <param name="Rank">An item is replaced by one of the same or a higher rank only, whichever is written last.</param>
public sealed record ItemRow(string Kind, string Key, int Rank, byte[] Value);
