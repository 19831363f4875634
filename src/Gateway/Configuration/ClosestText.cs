namespace Broker.Gateway.Configuration;

/// <summary>Finds what somebody probably meant to write.</summary>
internal static class ClosestText
{
    /// <summary>The candidate with the fewest changes to <paramref name="text"/>; null when none comes near.</summary>
    public static string? Find(string text, IEnumerable<string> candidates)
    {
        string? best = null;
        var fewest = int.MaxValue;
        foreach (var candidate in candidates)
        {
            var changes = Changes(text, candidate);
            if (changes < fewest)
            {
                (best, fewest) = (candidate, changes);
            }
        }

        // A third of the text changed: a guess beyond it would puzzle more than help.
        return fewest <= Math.Max(2, text.Length / 3) ? best : null;
    }

    // Levenshtein distance, one row at a time, letter case ignored.
    private static int Changes(string from, string to)
    {
        var row = new int[to.Length + 1];
        for (var j = 0; j <= to.Length; j++)
        {
            row[j] = j;
        }

        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var same = char.ToUpperInvariant(from[i - 1]) == char.ToUpperInvariant(to[j - 1]);
                var cost = diagonal + (same ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(cost, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[to.Length];
    }
}
