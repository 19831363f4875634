using System.Net;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Broker.Gateway.Topics;
using Broker.Grains.Hooks;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Npgsql;

namespace Broker.Gateway.Configuration;

/// <summary>What a single range cannot say: text formats, and settings that depend on each other.</summary>
internal static class OptionsRules
{
    // 16 characters: enough that nobody guesses a random token, and no more than tools make by default.
    private const int MinTokenLength = 16;

    // 1,024: dozens of addresses, in a packet that every client can take.
    private const int MaxServerReference = 1024;

    // A failover of the database, which some silos notice seconds before others.
    private static readonly TimeSpan MinGiveUpAfter = TimeSpan.FromSeconds(10);

    /// <summary>One line for each value outside of its range, for options that code has set; those that were read are checked one by one.</summary>
    public static IEnumerable<string> CheckRanges(BrokerOptions options) => SettingCatalog.Of(options)
        .Where(static setting => setting.Default is not null && setting.Parse(setting.DefaultText) is null)
        .Select(static setting => $"{setting.Key}: '{setting.DefaultText}' is not allowed; allowed: {setting.AllowedInsteadOf(setting.DefaultText)}");

    /// <summary>One line for each rule that is broken, naming keys by <paramref name="form"/>.</summary>
    public static IEnumerable<string> Check(BrokerOptions options, Func<string, string> form)
    {
        if (options.Data.Directory.Length == 0)
        {
            yield return $"{form(SettingKeys.DataDirectory)}: '' is not allowed; allowed: a folder";
        }

        foreach (var line in CheckListeners(options.Listeners, form))
        {
            yield return line;
        }

        if (!ListenAddress.TryParse(options.Http.Address, out _))
        {
            yield return $"{form("Broker:Http:Address")}: '{options.Http.Address}' is not allowed; " +
                $"allowed: {ListenAddress.Allowed}";
        }

        if (options.Session.LowWatermark > options.Session.HighWatermark)
        {
            yield return $"{form("Broker:Session:LowWatermark")}: '{ValueText.Format(options.Session.LowWatermark, false)}' " +
                $"is not allowed; allowed: 0 to Broker:Session:HighWatermark";
        }

        if (!TopicPriorities.TryParse(options.Session.TopicPriorities, out _))
        {
            yield return $"{form("Broker:Session:TopicPriorities")}: '{options.Session.TopicPriorities}' is not allowed; " +
                "allowed: topic=priority, separated by commas";
        }

        if (!SharedStrategies.TryParse(options.Shared, out _))
        {
            yield return $"{form("Broker:Shared:Strategies")}: '{options.Shared.Strategies}' is not allowed; " +
                $"allowed: group=strategy, separated by commas, with one of {string.Join(", ", Enum.GetNames<SharedStrategy>())}";
        }

        if (options.Sys.Node.AsSpan().ContainsAny('/', '+', '#'))
        {
            yield return $"{form("Broker:Sys:Node")}: '{options.Sys.Node}' is not allowed; allowed: a text without /, + and #";
        }

        if (!RewriteRule.TryParse(options.Topics.Rewrite, out _))
        {
            yield return $"{form("Broker:Topics:Rewrite")}: '{options.Topics.Rewrite}' is not allowed; " +
                "allowed: KIND FILTER PATTERN TARGET, separated by ;, KIND publish, subscribe or all, PATTERN a regular expression without look-around";
        }

        if (!AutoSubscriptions.TryParse(options.Topics.AutoSubscribe, out _))
        {
            yield return $"{form("Broker:Topics:AutoSubscribe")}: '{options.Topics.AutoSubscribe}' is not allowed; " +
                "allowed: filter=qos, separated by commas";
        }

        foreach (var line in CheckWebhook(options.Webhook, form))
        {
            yield return line;
        }

        foreach (var line in CheckCluster(options, form))
        {
            yield return line;
        }

        if (options.Shutdown.ServerReference is { Length: 0 or > MaxServerReference })
        {
            yield return $"{form("Broker:Shutdown:ServerReference")}: the value given is not allowed; " +
                $"allowed: 1 to {MaxServerReference} characters";
        }

        foreach (var line in CheckAdmin(options.Admin, form))
        {
            yield return line;
        }
    }

    private static IEnumerable<string> CheckListeners(ListenersOptions listeners, Func<string, string> form)
    {
        foreach (var (i, endpoint) in listeners.Mqtt.Index())
        {
            if (!ListenAddress.TryParse(endpoint.Address, out _))
            {
                yield return $"{form($"Broker:Listeners:Mqtt:{i}:Address")}: '{endpoint.Address}' is not allowed; " +
                    $"allowed: {ListenAddress.Allowed}";
            }

            if (!AccessList.TryParse(endpoint.Access, out _, out var wrong))
            {
                yield return $"{form(SettingKeys.AccessOf(i))}: '{endpoint.Access}' is not allowed, because of '{wrong}'; " +
                    $"allowed: {AccessList.Allowed}";
            }

            if (!AddressRanges.TryParse(endpoint.ProxyProtocolFrom, out _, out wrong))
            {
                yield return $"{form(SettingKeys.ProxyProtocolFromOf(i))}: '{endpoint.ProxyProtocolFrom}' is not allowed, because of '{wrong}'; " +
                    $"allowed: {AddressRanges.Allowed}";
            }
        }
    }

    private static IEnumerable<string> CheckWebhook(WebhookOptions webhook, Func<string, string> form)
    {
        if (webhook.Url.Length > 0
            && !(Uri.TryCreate(webhook.Url, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)))
        {
            yield return $"{form("Broker:Webhook:Url")}: the value is not allowed; allowed: an http:// or https:// address, or nothing";
        }

        if (!BrokerEventKinds.TryParse(webhook.Events, out _))
        {
            yield return $"{form("Broker:Webhook:Events")}: '{webhook.Events}' is not allowed; " +
                $"allowed: {string.Join(", ", BrokerEventKinds.All)}, separated by commas, or *";
        }

        if (webhook.CaFile.Length > 0 && !File.Exists(webhook.CaFile))
        {
            yield return $"{form("Broker:Webhook:CaFile")}: the file '{webhook.CaFile}' does not exist";
        }
    }

    private static IEnumerable<string> CheckCluster(BrokerOptions options, Func<string, string> form)
    {
        if (options.Store.Kind == StoreKind.Postgres && !IsConnectionString(options.Store.ConnectionString))
        {
            yield return $"{form("Broker:Store:ConnectionString")}: the value given is not allowed; " +
                "allowed with Broker:Store:Kind=Postgres: an Npgsql connection string with Host and Database";
        }

        if (options.Cluster.Name.Length is 0 or > 150)
        {
            yield return $"{form("Broker:Cluster:Name")}: '{options.Cluster.Name}' is not allowed; allowed: 1 to 150 characters";
        }

        if (options.Cluster.Address.Length > 0 && !IPAddress.TryParse(options.Cluster.Address, out _))
        {
            yield return $"{form("Broker:Cluster:Address")}: '{options.Cluster.Address}' is not allowed; " +
                "allowed: an IP address, or nothing";
        }

        if (options.Cluster.GiveUpAfter > TimeSpan.Zero && options.Cluster.GiveUpAfter < MinGiveUpAfter)
        {
            yield return $"{form("Broker:Cluster:GiveUpAfter")}: '{ValueText.Format(options.Cluster.GiveUpAfter, false)}' is not allowed; " +
                $"allowed: 0 (for ever), or at least {ValueText.Format(MinGiveUpAfter, false)}";
        }
    }

    private static bool IsConnectionString(string? text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text) is { Host.Length: > 0, Database.Length: > 0 };
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static IEnumerable<string> CheckAdmin(AdminOptions admin, Func<string, string> form)
    {
        if (admin.User is null != admin.Password is null)
        {
            var missing = admin.User is null ? "Broker:Admin:User" : "Broker:Admin:Password";
            yield return $"{form("Broker:Admin:User")} and {form("Broker:Admin:Password")} are given together or not at all; " +
                $"{missing} is empty or not set";
        }

        // HTTP Basic separates name and password by the first colon.
        if (admin.User is { } user && user.Contains(':', StringComparison.Ordinal))
        {
            yield return $"{form("Broker:Admin:User")}: '{user}' is not allowed; allowed: a name without a colon";
        }

        if (admin.Token is { Length: < MinTokenLength })
        {
            yield return $"{form("Broker:Admin:Token")}: the value given is not allowed; " +
                $"allowed: at least {MinTokenLength} characters";
        }
    }
}
