using System.Collections;
using System.Globalization;
using Broker.Gateway.Options;

namespace Broker.Gateway.Configuration;

/// <summary>Puts given values into the options and says what is wrong with those that do not fit.</summary>
internal sealed class OptionsBinder
{
    private readonly SettingTree _tree = new();
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
            if (value.Empty is { } empty)
            {
                BindEmpty(value, empty);
            }
            else if (_tree.Find(value.Key) is not { } setting)
            {
                _errors.Add(Unknown(value));
            }
            else if (setting.Parse(value.Value) is not { } parsed)
            {
                _errors.Add(Refused(value, setting));
            }
            else
            {
                Put(value, setting, parsed);
            }
        }

        return _options;
    }

    // It sets nothing, except that an entry of a list is there by being named. What it cannot be is told all the same: whoever has written
    // it believes that it has a meaning.
    private void BindEmpty(GivenValue value, EmptyValue empty)
    {
        var setting = _tree.Find(value.Key);
        if (setting is null && !_tree.IsPlace(value.Key))
        {
            _errors.Add(Unknown(value));
        }
        else if (empty == EmptyValue.Null)
        {
            return;
        }
        else if (setting is not null)
        {
            _errors.Add(Refused(value, setting));
        }
        else if (_tree.IsList(value.Key))
        {
            _errors.Add($"{value.Form}: '{value.Value}' is not allowed; allowed: at least one entry, or no such key");
        }
        else if (empty == EmptyValue.Array)
        {
            _errors.Add($"{value.Form}: '{value.Value}' is not allowed; allowed: an object with settings");
        }
        else if (_tree.IsEntry(value.Key))
        {
            // An entry with nothing of its own is one with the defaults. The walk to a setting of it makes it.
            Walk(value, [.. value.Key.Split(':'), ""]);
        }
    }

    private void Put(GivenValue given, Setting setting, object parsed)
    {
        switch (Walk(given, given.Key.Split(':')))
        {
            case (IDictionary dictionary, var name):
                dictionary[name] = parsed;
                break;
            case ({ } section, _):
                setting.Property.SetValue(section, parsed);
                break;
        }
    }

    /// <summary>The object that a key's last part is in, and that part; null when it would be an entry of a list that has a gap before it.</summary>
    private (object? Target, string Name) Walk(GivenValue given, string[] parts)
    {
        object target = _options;
        for (var i = 1; i < parts.Length - 1; i++)
        {
            var property = target.GetType().GetProperties()
                .First(candidate => candidate.Name.Equals(parts[i], StringComparison.OrdinalIgnoreCase));
            switch (property.GetValue(target)!)
            {
                case IDictionary dictionary:
                    return (dictionary, string.Join(':', parts[(i + 1)..]));
                case IList list when Item(list, parts[++i], given) is { } item:
                    target = item;
                    break;
                case IList:
                    return (null, "");
                case var section:
                    target = section;
                    break;
            }
        }

        return (target, parts[^1]);
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

    private static string Refused(GivenValue given, Setting setting)
    {
        var shown = setting.IsSecret ? "the value given" : $"'{given.Value}'";
        return $"{given.Form}: {shown} is not allowed; allowed: {setting.AllowedInsteadOf(given.Value)}";
    }

    private string Unknown(GivenValue given) => _tree.HasLetterForNumber(given.Key)
        ? $"{given.Form} is not a setting: it takes a number in place of {SettingCatalog.AnyIndex}, 0 for the first entry, 1 for the second"
        : $"{given.Form} is not a setting{Suggestion(given)}";

    private string Suggestion(GivenValue given)
    {
        List<string> known = [.. SettingCatalog.All.Select(static setting => setting.Key)];

        // The right name in the wrong section is the likeliest mistake.
        var name = given.Key[(given.Key.LastIndexOf(':') + 1)..];
        var closest =
            known.FirstOrDefault(key => key.EndsWith(":" + name, StringComparison.OrdinalIgnoreCase))
            ?? ClosestText.Find(given.Key, given.Empty is null ? known : [.. known, .. _tree.Places]);
        if (closest is null)
        {
            return "; see docs/configuration.md";
        }

        var number = closest.Contains($":{SettingCatalog.AnyIndex}:", StringComparison.Ordinal)
            ? $" with a number in place of {SettingCatalog.AnyIndex}, 0 for the first entry" : "";
        return $"; did you mean {(given.Source with { Place = "" }).Write(closest)}{number}?";
    }
}
