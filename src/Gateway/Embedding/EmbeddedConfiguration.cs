using Broker.Gateway.Configuration;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;

namespace Broker.Gateway.Embedding;

/// <summary>Settings of a broker inside an application: the application's configuration, then its code.</summary>
internal static class EmbeddedConfiguration
{
    private static readonly ValueSource Application = new("", "", ":");

    /// <summary>Reads section <c>Broker</c>, lets code change it, and checks the whole as the program does.</summary>
    public static BrokerOptions Read(IConfiguration? configuration, Action<BrokerOptions>? configure)
    {
        var given = configuration is null
            ? []
            : configuration.GetSection(SettingKeys.Root).AsEnumerable()
                .Where(pair => pair.Value is not null || !configuration.GetSection(pair.Key).GetChildren().Any())
                .OrderBy(static pair => pair.Key, ConfigurationKeyComparer.Instance)
                .Select(static pair => new GivenValue(pair.Key, pair.Value ?? "null", Application)
                {
                    // Whether it was null or an empty object is no longer known.
                    Empty = pair.Value is null ? EmptyValue.Null : null,
                });
        var binder = new OptionsBinder();
        var options = binder.Bind(given);
        configure?.Invoke(options);
        List<string> errors = [.. binder.Errors, .. OptionsRules.CheckRanges(options), .. OptionsRules.Check(options, static key => key)];
        return errors.Count == 0 ? options : throw new StartupException(string.Join("\n", errors));
    }
}
