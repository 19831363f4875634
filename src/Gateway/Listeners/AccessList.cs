using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Broker.Gateway.Listeners;

/// <summary>
/// Which addresses may connect to a listener: <c>allow RANGE</c> and <c>deny RANGE</c>, of which the first that matches decides. Without
/// rules everybody may; with rules, whom none of them names may not.
/// </summary>
internal sealed class AccessList
{
    /// <summary>What a refused value is told to be.</summary>
    public const string Allowed =
        "rules allow RANGE or deny RANGE, separated by commas; RANGE is " + AddressRange.Allowed;

    private readonly (bool IsAllowed, AddressRange Range)[] _rules;

    private AccessList((bool IsAllowed, AddressRange Range)[] rules) => _rules = rules;

    /// <summary>Reads all rules.</summary>
    /// <param name="wrong">The first that is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out AccessList? list, [NotNullWhen(false)] out string? wrong)
    {
        (list, wrong) = (null, null);
        var rules = new List<(bool, AddressRange)>();
        if (string.IsNullOrWhiteSpace(text))
        {
            list = new AccessList([]);
            return true;
        }

        // An empty rule is not passed over: a list of nothing else would let everybody in.
        foreach (var rule in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var words = rule.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is not [var verb, var addresses] || !TryParseVerb(verb, out var isAllowed) || !AddressRange.TryParse(addresses, out var range))
            {
                wrong = rule;
                return false;
            }

            rules.Add((isAllowed, range));
        }

        list = new AccessList([.. rules]);
        return true;
    }

    /// <param name="client">As <see cref="Auth.RemoteAddress"/> gives it.</param>
    public bool Allows(IPAddress client)
    {
        foreach (var (isAllowed, range) in _rules)
        {
            if (range.Contains(client))
            {
                return isAllowed;
            }
        }

        return _rules.Length == 0;
    }

    private static bool TryParseVerb(string text, out bool isAllowed)
    {
        isAllowed = text.Equals("allow", StringComparison.OrdinalIgnoreCase);
        return isAllowed || text.Equals("deny", StringComparison.OrdinalIgnoreCase);
    }
}
