using System.Text.Json;
using Broker.Gateway.Hosting;

namespace Broker.Gateway.Configuration;

/// <summary>Reads the <c>Broker</c> section of an appsettings.json; other sections are not ours and are passed over.</summary>
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
            var values = new List<GivenValue>();
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                foreach (var section in document.RootElement.EnumerateObject())
                {
                    if (section.Name.Equals(SettingKeys.Root, StringComparison.OrdinalIgnoreCase))
                    {
                        Flatten(section.Value, section.Name, ValueSource.File(path), values);
                    }
                }
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

    private static void Flatten(JsonElement element, string key, ValueSource source, List<GivenValue> values)
    {
        switch (element.ValueKind)
        {
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
            case JsonValueKind.Null:
                break;
            default:
                values.Add(new GivenValue(key, element.ToString(), source));
                break;
        }
    }
}
