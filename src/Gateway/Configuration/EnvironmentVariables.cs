using System.Collections;

namespace Broker.Gateway.Configuration;

/// <summary>Reads <c>Broker__SECTION__KEY</c>; letter case does not matter.</summary>
internal static class EnvironmentVariables
{
    private const string Separator = "__";

    public static IReadOnlyList<GivenValue> Read(IDictionary variables)
    {
        var values = new List<GivenValue>();
        foreach (DictionaryEntry variable in variables)
        {
            var name = (string)variable.Key;
            if (name.StartsWith(SettingKeys.Root + Separator, StringComparison.OrdinalIgnoreCase))
            {
                var key = name.Replace(Separator, ":", StringComparison.Ordinal);
                values.Add(new GivenValue(key, (string?)variable.Value ?? "", ValueSource.Environment)
                {
                    ShortForm = name,
                });
            }
        }

        return values;
    }
}
