using System.Collections;
using System.Globalization;
using Broker.Gateway.Options;


namespace Broker.Gateway.Configuration;

/// <summary>Puts given values into the options and says what is wrong with those that do not fit.</summary>
internal sealed class OptionsBinder
{
    private readonly Dictionary<string, Setting> _settings =
        SettingCatalog.All.ToDictionary(setting => setting.Key, StringComparer.OrdinalIgnoreCase);

    private readonly BrokerOptions _options = new();
    private readonly HashSet<IList> _replacedLists = [];
    private readonly List<string> _errors = [];

    /// <summary>One line for each value that cannot be used.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Binds in order; of values for the same key the last wins, but all of them must be right.</summary>
    public BrokerOptions Bind(IEnumerable<GivenValue> values)
    {
        foreach (var value in values)
        {
            if (Find(value.Key) is not { } setting)
            {
                _errors.Add($"{value.Form} is not a setting{Suggestion(value)}");
            }
            else if (setting.Parse(value.Value) is not { } parsed)
            {
                var shown = setting.IsSecret ? "the value given" : $"'{value.Value}'";
                _errors.Add($"{value.Form}: {shown} is not allowed; allowed: {setting.AllowedText}");
            }
            else
            {
                Put(value, setting, parsed);
            }
        }

        return _options;
    }

    private Setting? Find(string key)
    {
        if (_settings.TryGetValue(key, out var setting))
        {
            return setting;
        }

        var parts = key.Split(':');
        for (var i = 0; i < parts.Length; i++)
        {
            if (int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                parts[i] = SettingCatalog.AnyIndex;
            }
        }

        // The name of a dictionary entry is whatever follows the dictionary, colons included.
        return _settings.GetValueOrDefault(string.Join(':', parts))
            ?? (parts.Length > 3 ? _settings.GetValueOrDefault($"{string.Join(':', parts[..3])}:{SettingCatalog.AnyName}") : null);
    }

    private void Put(GivenValue given, Setting setting, object parsed)
    {
        var parts = given.Key.Split(':');
        object target = _options;
        for (var i = 1; i < parts.Length - 1; i++)
        {
            var property = target.GetType().GetProperties()
                .First(candidate => candidate.Name.Equals(parts[i], StringComparison.OrdinalIgnoreCase));
            var next = property.GetValue(target)!;
            if (next is IDictionary dictionary)
            {
                dictionary[string.Join(':', parts[(i + 1)..])] = parsed;
                return;
            }

            if (next is IList list && Item(list, parts[++i], given) is { } item)
            {
                next = item;
            }
            else if (next is IList)
            {
                return;
            }

            target = next;
        }

        setting.Property.SetValue(target, parsed);
    }

    // The first value for a list replaces the default items; indices have to come without gaps.
    private object? Item(IList list, string index, GivenValue given)
    {
        if (_replacedLists.Add(list))
        {
            list.Clear();
        }

        var position = int.Parse(index, CultureInfo.InvariantCulture);
        if (position == list.Count)
        {
            list.Add(Activator.CreateInstance(list.GetType().GetGenericArguments()[0]));
        }

        if (position < list.Count)
        {
            return list[position];
        }

        _errors.Add($"{given.Form}: there is no entry {list.Count} before it");
        return null;
    }

    private static string Suggestion(GivenValue given)
    {
        var known = SettingCatalog.All.Select(setting => setting.Key).ToList();

        // The right name in the wrong section is the likeliest mistake.
        var name = given.Key[(given.Key.LastIndexOf(':') + 1)..];
        var closest =
            known.FirstOrDefault(key => key.EndsWith(":" + name, StringComparison.OrdinalIgnoreCase))
            ?? ClosestText.Find(given.Key, known);
        return closest is null
            ? "; see docs/configuration.md"
            : $"; did you mean {(given.Source with { Place = "" }).Write(closest)}?";
    }
}
