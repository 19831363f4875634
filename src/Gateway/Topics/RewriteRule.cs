using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;
using Broker.Grains.Routing;
using Broker.Protocol;

namespace Broker.Gateway.Topics;

/// <summary>One rule of <c>Broker:Topics:Rewrite</c>.</summary>
internal sealed class RewriteRule
{
    private readonly byte[] _filter;
    private readonly Regex _pattern;
    private readonly string _target;

    private RewriteRule(bool isForPublish, bool isForSubscribe, string filter, Regex pattern, string target)
    {
        IsForPublish = isForPublish;
        IsForSubscribe = isForSubscribe;
        _filter = Encoding.UTF8.GetBytes(filter);
        _pattern = pattern;
        _target = target;
    }

    public bool IsForPublish { get; }

    public bool IsForSubscribe { get; }

    /// <summary>Reads all rules.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out IReadOnlyList<RewriteRule>? rules)
    {
        var read = new List<RewriteRule>();
        rules = null;
        foreach (var line in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is not [var kind and ("publish" or "subscribe" or "all"), var filter, var pattern, var target]
                || !TopicRules.IsValidFilter(Encoding.UTF8.GetBytes(filter)))
            {
                return false;
            }

            try
            {
                // Without backtracking: the topic is the client's, and so must not decide how long it takes.
                var regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
                read.Add(new RewriteRule(kind != "subscribe", kind != "publish", filter, regex, target));
            }
            catch (Exception error) when (error is ArgumentException or NotSupportedException)
            {
                return false;
            }
        }

        rules = read;
        return true;
    }

    /// <summary>What the rule makes of a topic or filter; null when it is not for it.</summary>
    public string? Apply(string topic) =>
        FilterText.Matches(_filter, Encoding.UTF8.GetBytes(topic)) && _pattern.Match(topic) is { Success: true } match
            ? match.Result(_target)
            : null;
}
