using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Broker.Gateway.Listeners;

/// <summary>Addresses that have something in common.</summary>
internal sealed class AddressRanges
{
    /// <summary>What a refused value is told to be.</summary>
    public const string Allowed = "ranges, separated by commas; each is " + AddressRange.Allowed;

    private readonly List<AddressRange> _ranges = [];

    /// <summary>Reads all of them; nothing is nobody.</summary>
    /// <param name="wrong">The first that is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out AddressRanges? ranges, [NotNullWhen(false)] out string? wrong)
    {
        (ranges, wrong) = (null, null);
        var read = new AddressRanges();
        foreach (var part in string.IsNullOrWhiteSpace(text) ? [] : text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!AddressRange.TryParse(part, out var range))
            {
                wrong = part;
                return false;
            }

            read._ranges.Add(range);
        }

        ranges = read;
        return true;
    }

    /// <param name="address">As <see cref="Auth.RemoteAddress"/> gives it.</param>
    public bool Contains(IPAddress address)
    {
        foreach (var range in _ranges)
        {
            if (range.Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}
