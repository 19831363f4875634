using System.Collections;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;

namespace Broker.Gateway.Configuration;

/// <summary>
/// Reads the configuration: appsettings.json beside the program, in the working folder, in the data folder; environment;
/// command line. A later place wins. Everything is checked before anything starts.
/// </summary>
internal static class BrokerConfiguration
{
    /// <summary>The options, or a <see cref="StartupException"/> with one line for each thing that is wrong.</summary>
    public static BrokerOptions Load(CommandLine commandLine) => Load(
        [AppContext.BaseDirectory, Directory.GetCurrentDirectory()],
        Environment.GetEnvironmentVariables(),
        commandLine.Values);

    internal static BrokerOptions Load(
        IEnumerable<string> folders, IDictionary environment, IReadOnlyList<GivenValue> commandLine)
    {
        var files = folders.Select(folder => Path.GetFullPath(Path.Combine(folder, ConfigurationFile.FileName)))
            .Distinct().ToList();
        List<GivenValue> beforeData = [.. files.SelectMany(ConfigurationFile.Read)];
        List<GivenValue> afterData = [.. EnvironmentVariables.Read(environment), .. commandLine];
        var inData = ReadDataFolder(DataDirectory([.. beforeData, .. afterData]), files);

        List<GivenValue> all = [.. beforeData, .. inData, .. afterData];
        var binder = new OptionsBinder();
        var options = binder.Bind(all);
        List<string> errors = [.. binder.Errors, .. OptionsRules.Check(options, key => Form(all, key))];
        return errors.Count == 0 ? options : throw new StartupException(string.Join("\nbroker: ", errors));
    }

    // The file in the data folder cannot say where the data folder is.
    private static IReadOnlyList<GivenValue> ReadDataFolder(string directory, List<string> alreadyRead)
    {
        var path = Path.GetFullPath(Path.Combine(directory, ConfigurationFile.FileName));
        if (alreadyRead.Contains(path))
        {
            return [];
        }

        var values = ConfigurationFile.Read(path);
        return values.FirstOrDefault(IsDataDirectory) is { } circular
            ? throw new StartupException($"{circular.Form} cannot be set in the data folder itself")
            : values;
    }

    private static string DataDirectory(List<GivenValue> values) =>
        values.LastOrDefault(IsDataDirectory)?.Value ?? new DataOptions().Directory;

    private static bool IsDataDirectory(GivenValue value) =>
        IsValueOf(value, SettingKeys.DataDirectory);

    private static string Form(List<GivenValue> values, string key) =>
        values.LastOrDefault(value => IsValueOf(value, key))?.Form ?? key;

    private static bool IsValueOf(GivenValue value, string key) =>
        value.Empty is null && value.Key.Equals(key, StringComparison.OrdinalIgnoreCase);
}
