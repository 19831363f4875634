using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Topics;

/// <summary>
/// What a Topic grain knows of the live silos. A silo that has not answered counts as interested: a message too many is
/// dropped there, a message too few would be lost. Used on the grain's scheduler only.
/// </summary>
public sealed class InterestMap
{
    private readonly Dictionary<SiloAddress, SiloInterest?> _bySilo = [];
    private SiloAddress[]? _interested;

    /// <summary>Silos that messages go to. Replaced as a whole by every change.</summary>
    public IReadOnlyList<SiloAddress> Interested =>
        _interested ??= [.. _bySilo.Where(static s => s.Value is null or { Exists: true }).Select(static s => s.Key).Order()];

    /// <summary>Silos whose answer is missing.</summary>
    public IEnumerable<SiloAddress> Unknown => _bySilo.Where(static s => s.Value is null).Select(static s => s.Key);

    /// <summary>All live silos with what they have said.</summary>
    public IReadOnlyDictionary<SiloAddress, SiloInterest?> BySilo => _bySilo;

    /// <summary>Takes the silos that live now: new ones are unknown, gone ones and their interest are forgotten.</summary>
    public void SetLive(IReadOnlyCollection<SiloAddress> live)
    {
        foreach (var silo in _bySilo.Keys.Except(live).ToList())
        {
            _bySilo.Remove(silo);
        }

        foreach (var silo in live)
        {
            _bySilo.TryAdd(silo, null);
        }

        _interested = null;
    }

    /// <summary>Takes an answer or a push, unless it is older than what is known or from a silo that does not live.</summary>
    public bool Apply(SiloInterest interest)
    {
        if (!_bySilo.TryGetValue(interest.Silo, out var known) || known?.Version >= interest.Version)
        {
            return false;
        }

        _bySilo[interest.Silo] = interest;
        _interested = null;
        return true;
    }
}
