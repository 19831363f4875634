using System.Diagnostics.CodeAnalysis;
using Broker.Grains.Options;

namespace Broker.Grains.Shared;

/// <summary>Which strategy a group has.</summary>
public sealed class SharedStrategies
{
    private readonly Dictionary<string, SharedStrategy> _byGroup = new(StringComparer.Ordinal);
    private readonly SharedStrategy _others;

    private SharedStrategies(SharedStrategy others) => _others = others;

    /// <summary>Reads <see cref="SharedOptions.Strategies"/>. False when it has another form.</summary>
    public static bool TryParse(SharedOptions options, [NotNullWhen(true)] out SharedStrategies? strategies)
    {
        strategies = null;
        var read = new SharedStrategies(options.Strategy);
        foreach (var entry in options.Strategies.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var at = entry.LastIndexOf('=');
            var name = at < 0 ? "" : entry[(at + 1)..].Trim().Replace("_", "", StringComparison.Ordinal);
            if (at <= 0 || name.Length == 0 || !char.IsLetter(name[0]) || !Enum.TryParse<SharedStrategy>(name, ignoreCase: true, out var strategy))
            {
                return false;
            }

            read._byGroup[entry[..at].Trim()] = strategy;
        }

        strategies = read;
        return true;
    }

    /// <summary>The strategy of the group that a filter names.</summary>
    /// <param name="filter">A valid <c>$share/name/filter</c> or <c>$queue/filter</c>.</param>
    public SharedStrategy Of(string filter)
    {
        if (_byGroup.Count == 0)
        {
            return _others;
        }

        var levels = filter.Split('/', 3);
        return _byGroup.GetValueOrDefault(levels[0] == "$share" ? levels[1] : levels[0], _others);
    }
}
