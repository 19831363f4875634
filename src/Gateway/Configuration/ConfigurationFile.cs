using System.Text.Json;
using Broker.Gateway.Hosting;

namespace Broker.Gateway.Configuration;

/// <summary>
/// Reads the <c>Broker</c> section of an appsettings.json, and keys written in one piece (<c>"Broker:Session:MaxInflight": 10</c>); other
/// sections are not ours and are passed over.
/// </summary>
internal static class ConfigurationFile
{
    public const string FileName = "appsettings.json";

    private static readonly JsonDocumentOptions Lenient = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>Values of the file; none when there is no such file.</summary>
    public static IReadOnlyList<GivenValue> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        try
        {
            // Some editors put a byte order mark at the front, which the JSON reader does not take.
            ReadOnlyMemory<byte> content = File.ReadAllBytes(path);
            using var document = JsonDocument.Parse(
                content.Span is [0xEF, 0xBB, 0xBF, ..] ? content[3..] : content, Lenient);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new StartupException($"{path} is not a JSON object with settings in it, {{ \"Broker\": {{ }} }}");
            }

            var values = new List<GivenValue>();
            foreach (var section in document.RootElement.EnumerateObject().Where(static section => IsOurs(section.Name)))
            {
                Flatten(section.Value, section.Name, ValueSource.File(path), values);
            }

            return values;
        }
        catch (JsonException failure)
        {
            throw new StartupException($"{path} is not valid JSON: {failure.Message}", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"{path} cannot be read: {failure.Message}", failure);
        }
    }

    private static bool IsOurs(string name) =>
        name.Equals(SettingKeys.Root, StringComparison.OrdinalIgnoreCase)
        || name.StartsWith(SettingKeys.Root + ":", StringComparison.OrdinalIgnoreCase);

    private static void Flatten(JsonElement element, string key, ValueSource source, List<GivenValue> values)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object when !element.EnumerateObject().Any():
                values.Add(new GivenValue(key, "{}", source) { Empty = EmptyValue.Object });
                break;
            case JsonValueKind.Array when element.GetArrayLength() == 0:
                values.Add(new GivenValue(key, "[]", source) { Empty = EmptyValue.Array });
                break;
            case JsonValueKind.Null:
                values.Add(new GivenValue(key, "null", source) { Empty = EmptyValue.Null });
                break;
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    Flatten(member.Value, $"{key}:{member.Name}", source, values);
                }

                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray())
                {
                    Flatten(item, $"{key}:{index++}", source, values);
                }

                break;
            default:
                values.Add(new GivenValue(key, element.ToString(), source));
                break;
        }
    }
}
