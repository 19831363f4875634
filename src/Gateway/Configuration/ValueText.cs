using System.Globalization;
using System.Numerics;

namespace Broker.Gateway.Configuration;

/// <summary>Reads and writes setting values: numbers, sizes (<c>64KiB</c>), times (<c>20s</c>, <c>never</c>), names.</summary>
internal static class ValueText
{
    private const string Never = "never";

    private static readonly (string Unit, long Bytes)[] Sizes =
    [
        ("PiB", 1L << 50), ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("B", 1),
    ];

    private static readonly (string Unit, TimeSpan Length)[] Times =
    [
        ("d", TimeSpan.FromDays(1)), ("h", TimeSpan.FromHours(1)), ("ms", TimeSpan.FromMilliseconds(1)),
        ("m", TimeSpan.FromMinutes(1)), ("s", TimeSpan.FromSeconds(1)),
    ];

    /// <summary>Parses to the type of a property; null when the text is not one.</summary>
    public static object? Parse(Type type, bool isSize, string text)
    {
        text = text.Trim();
        var target = Nullable.GetUnderlyingType(type) ?? type;
        if (target == typeof(string))
        {
            return text;
        }

        if (target == typeof(bool))
        {
            return bool.TryParse(text, out var flag) ? flag : null;
        }

        if (target.IsEnum)
        {
            // By name only: numbers would parse as well, and mean something else after the next change of the enum, and so would lists of
            // names, which are another one's number. Words may be written apart: round_robin.
            text = text.Replace("_", "", StringComparison.Ordinal);
            return Enum.GetNames(target).FirstOrDefault(known => known.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name
                ? Enum.Parse(target, name)
                : null;
        }

        if (target == typeof(TimeSpan))
        {
            return ParseTime(text);
        }

        if (target == typeof(double))
        {
            return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var real)
                ? real
                : null;
        }

        return ParseWhole(text, isSize) switch
        {
            { } whole when target == typeof(long) => whole,
            { } whole when target == typeof(int) && whole is >= int.MinValue and <= int.MaxValue => (int)whole,
            _ => null,
        };
    }

    /// <summary>Writes a value in the form that <see cref="Parse"/> reads; a value that is not set is empty.</summary>
    public static string Format(object? value, bool isSize) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        TimeSpan time => FormatTime(time),
        int or long when isSize => FormatSize(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static long? ParseWhole(string text, bool isSize)
    {
        if (isSize)
        {
            foreach (var (unit, bytes) in Sizes)
            {
                if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
                {
                    var count = ParseNumber<long>(text[..^unit.Length].TrimEnd());
                    return count <= long.MaxValue / bytes ? count * bytes : null;
                }
            }
        }

        return ParseNumber<long>(text);
    }

    private static TimeSpan? ParseTime(string text)
    {
        if (text.Equals(Never, StringComparison.OrdinalIgnoreCase))
        {
            return TimeSpan.MaxValue;
        }

        if (text.Contains(':', StringComparison.Ordinal))
        {
            return TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var span) ? span : null;
        }

        foreach (var (unit, length) in Times)
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
            {
                return Multiply(ParseNumber<double>(text[..^unit.Length].TrimEnd()), length);
            }
        }

        return Multiply(ParseNumber<double>(text), TimeSpan.FromSeconds(1));
    }

    // 36,500 days: a hundred years, well inside what a TimeSpan holds.
    private static TimeSpan? Multiply(double? count, TimeSpan unit) =>
        count is { } number && number * unit.TotalDays <= 36_500 ? unit * number : null;

    private static T? ParseNumber<T>(string text)
        where T : struct, INumber<T> =>
        T.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string FormatTime(TimeSpan time)
    {
        if (time == TimeSpan.MaxValue)
        {
            return Never;
        }

        if (time == TimeSpan.Zero)
        {
            return "0s";
        }

        var (unit, length) = Times.OrderByDescending(entry => entry.Length)
            .FirstOrDefault(entry => time.Ticks % entry.Length.Ticks == 0);
        return unit is null ? time.ToString("c", CultureInfo.InvariantCulture) : (time.Ticks / length.Ticks).ToString(CultureInfo.InvariantCulture) + unit;
    }

    private static string FormatSize(long size)
    {
        if (size == 0)
        {
            return "0";
        }

        var (unit, bytes) = Sizes.First(entry => size % entry.Bytes == 0);
        return (size / bytes).ToString(CultureInfo.InvariantCulture) + (bytes == 1 ? "" : unit);
    }
}
