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

        // The environment has no order, and entries of a list come by their index.
        return [.. values.OrderBy(static value => OrderOf(value.Key), StringComparer.OrdinalIgnoreCase)];
    }

    private static string OrderOf(string key) =>
        string.Join(':', key.Split(':').Select(static part => char.IsAsciiDigit(part.FirstOrDefault()) ? part.PadLeft(9, '0') : part));
}
