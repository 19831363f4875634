using System.Globalization;
using System.Text;
using Broker.Gateway.Auth;
using Broker.Gateway.Options;
using Broker.Protocol;

namespace Broker.Gateway.Topics;

/// <summary>The subscriptions that every client gets at CONNECT.</summary>
internal sealed class AutoSubscriptions
{
    private const string ClientIdMark = "${clientid}";
    private const string UserNameMark = "${username}";

    private readonly IReadOnlyList<(string Filter, QualityOfService Qos)> _templates;

    public AutoSubscriptions(TopicOptions options) => _templates = TryParse(options.AutoSubscribe, out var templates)
        ? templates
        : throw new FormatException("Broker:Topics:AutoSubscribe is not valid.");

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _templates.Count == 0;

    /// <summary>Reads the setting.</summary>
    public static bool TryParse(string text, out IReadOnlyList<(string Filter, QualityOfService Qos)> templates)
    {
        var read = new List<(string, QualityOfService)>();
        templates = read;
        foreach (var item in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var mark = item.LastIndexOf('=');
            if (mark <= 0
                || !int.TryParse(item.AsSpan(mark + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var qos) || qos > 2
                || ExclusiveFilter.IsExclusive(item[..mark])
                || !TopicRules.IsValidFilter(Encoding.UTF8.GetBytes(item[..mark])))
            {
                return false;
            }

            read.Add((item[..mark], (QualityOfService)qos));
        }

        return true;
    }

    /// <summary>
    /// Those of one client. None of a template that names what the client does not have, or whose name has a level separator or a wildcard: it would
    /// be subscribed to what is not its own.
    /// </summary>
    public IEnumerable<SubscriptionRequest> Of(ClientIdentity client)
    {
        foreach (var (template, qos) in _templates)
        {
            if (Fill(template, ClientIdMark, client.ClientId) is { } filled && Fill(filled, UserNameMark, client.UserName) is { } filter)
            {
                yield return new SubscriptionRequest(filter, qos, RetainHandling: RetainHandling.SendIfNew);
            }
        }
    }

    private static string? Fill(string template, string mark, string? value) =>
        !template.Contains(mark, StringComparison.Ordinal) ? template
        : string.IsNullOrEmpty(value) || value.AsSpan().ContainsAny('/', '+', '#') ? null
        : template.Replace(mark, value, StringComparison.Ordinal);
}
