using Broker.Gateway.Configuration;


namespace Broker.Gateway.Tests.Configuration;

/// <summary>docs/configuration.md says what the program does, setting by setting.</summary>
public sealed class ConfigurationDocumentTests
{
    [Fact]
    public void The_document_lists_every_setting_with_its_default_and_range()
    {
        var documented = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "configuration.md"))
            .Where(line => line.StartsWith("| `Broker:", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(cells => (Key: cells[1].Trim('`'), Default: cells[2].Trim('`'), Range: cells[3], Meaning: cells[4]))
            .ToList();

        var actual = SettingCatalog.All.Select(setting => Row(setting.Key, setting.DefaultText, setting.AllowedText));
        Assert.Equal(actual, documented.Select(row => Row(row.Key, row.Default, row.Range)));
        Assert.All(documented, row => Assert.NotEqual("", row.Meaning));
    }

    [Fact]
    public void Every_default_lies_in_its_range()
    {
        Assert.All(
            SettingCatalog.All.Where(setting => setting.DefaultText.Length > 0),
            setting => Assert.Equal(setting.Default, setting.Parse(setting.DefaultText)));
    }

    private static string Row(string key, string value, string range) => $"{key} | {value} | {range}";
}
