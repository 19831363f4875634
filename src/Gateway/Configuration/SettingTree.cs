using System.Globalization;

namespace Broker.Gateway.Configuration;

/// <summary>Finds what a key names: a setting, or one of the places between the root and the settings.</summary>
internal sealed class SettingTree
{
    private readonly Dictionary<string, Setting> _settings =
        SettingCatalog.All.ToDictionary(static setting => setting.Key, StringComparer.OrdinalIgnoreCase);

    // Every key above a setting's: Broker, Broker:Listeners, Broker:Listeners:Mqtt, Broker:Listeners:Mqtt:N.
    private readonly HashSet<string> _places = new(
        SettingCatalog.All.SelectMany(static setting => Above(setting.Key)), StringComparer.OrdinalIgnoreCase);

    /// <summary>Keys of sections, lists and dictionaries.</summary>
    public IEnumerable<string> Places => _places;

    /// <summary>The setting of a key; null when there is none.</summary>
    public Setting? Find(string key)
    {
        var parts = Pattern(key).Split(':');

        // The name of a dictionary entry is whatever follows the dictionary, colons included.
        return _settings.GetValueOrDefault(string.Join(':', parts))
            ?? (parts.Length > 3 ? _settings.GetValueOrDefault($"{string.Join(':', parts[..3])}:{SettingCatalog.AnyName}") : null);
    }

    /// <summary>Whether there are settings below a key.</summary>
    public bool IsPlace(string key) => _places.Contains(Pattern(key));

    /// <summary>Whether a key is that of a list: its entries are below it, by their numbers.</summary>
    public bool IsList(string key) => _places.Contains($"{Pattern(key)}:{SettingCatalog.AnyIndex}");

    /// <summary>Whether a key is that of an entry of a list.</summary>
    public bool IsEntry(string key) => IsPlace(key) && Pattern(key).EndsWith($":{SettingCatalog.AnyIndex}", StringComparison.Ordinal);

    /// <summary>Whether a key was copied from the documents, with the letter that stands there for a number.</summary>
    public bool HasLetterForNumber(string key) => Find(key) is null && (_settings.ContainsKey(key) || _places.Contains(key));

    // Numbers become the letter that the catalog has in their place. The letter itself is no number.
    private static string Pattern(string key) => string.Join(':', key.Split(':').Select(static part =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? SettingCatalog.AnyIndex
        : part.Equals(SettingCatalog.AnyIndex, StringComparison.OrdinalIgnoreCase) ? ""
        : part));

    private static IEnumerable<string> Above(string key)
    {
        for (var end = key.LastIndexOf(':'); end > 0; end = key.LastIndexOf(':', end - 1))
        {
            yield return key[..end];
        }
    }
}
