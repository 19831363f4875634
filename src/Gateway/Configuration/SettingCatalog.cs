using System.Collections;
using System.Globalization;
using System.Reflection;
using Broker.Gateway.Options;

namespace Broker.Gateway.Configuration;

/// <summary>Every setting there is, found by walking the options classes.</summary>
internal static class SettingCatalog
{
    /// <summary>Stands for an index in the key of a list's item.</summary>
    public const string AnyIndex = "N";

    /// <summary>Stands for a dictionary's key.</summary>
    public const string AnyName = "NAME";

    private static readonly BrokerOptions Defaults = new();

    /// <summary>All settings, in the order of the sections and their properties.</summary>
    public static IReadOnlyList<Setting> All { get; } = [.. Walk(Defaults, SettingKeys.Root)];

    /// <summary>The settings as they are in some options: <see cref="Setting.Default"/> is the value, and list items have their indices.</summary>
    public static IEnumerable<Setting> Of(BrokerOptions options) => Walk(options, SettingKeys.Root, hasIndices: true);

    private static IEnumerable<Setting> Walk(object section, string path, bool hasIndices = false)
    {
        foreach (var property in section.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var key = $"{path}:{property.Name}";
            var value = property.GetValue(section);
            switch (value)
            {
                case IDictionary:
                    yield return new Setting(
                        $"{key}:{AnyName}", property, property.PropertyType.GetGenericArguments()[1], null);
                    break;
                case IList list:
                    for (var i = 0; i < (hasIndices ? list.Count : 1); i++)
                    {
                        var item = hasIndices ? i.ToString(CultureInfo.InvariantCulture) : AnyIndex;
                        foreach (var setting in Walk(list[i]!, $"{key}:{item}", hasIndices))
                        {
                            yield return setting;
                        }
                    }

                    break;
                default:
                    if (IsSection(property.PropertyType))
                    {
                        foreach (var setting in Walk(value!, key, hasIndices))
                        {
                            yield return setting;
                        }
                    }
                    else
                    {
                        yield return new Setting(key, property, property.PropertyType, value);
                    }

                    break;
            }
        }
    }

    private static bool IsSection(Type type) => type.IsClass && type != typeof(string);
}
