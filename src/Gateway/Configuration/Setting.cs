using System.Reflection;
using Broker.Grains.Options;

namespace Broker.Gateway.Configuration;

/// <summary>A property of an options class, with the key that sets it.</summary>
/// <param name="Key">Full key; <c>N</c> stands for the index of a list, <c>NAME</c> for the key of a dictionary.</param>
/// <param name="Property">Where the value goes.</param>
/// <param name="Type">Type of one value.</param>
/// <param name="Default">Value when none is given.</param>
internal sealed record Setting(string Key, PropertyInfo Property, Type Type, object? Default)
{
    private readonly AllowedAttribute? _allowed = Property.GetCustomAttribute<AllowedAttribute>();

    private readonly bool _isSize = Property.IsDefined(typeof(SizeAttribute));

    /// <summary>Whether messages must not show its value.</summary>
    public bool IsSecret { get; } = Property.IsDefined(typeof(SecretAttribute));

    /// <summary>Default in the form of a configuration value; empty when not set.</summary>
    public string DefaultText => ValueText.Format(Default, _isSize);

    /// <summary>What it accepts, in words: for refusals and for docs/configuration.md.</summary>
    public string AllowedText
    {
        get
        {
            if (_allowed is not null)
            {
                var zero = _allowed.ZeroMeans is null ? "" : $" (0 = {_allowed.ZeroMeans})";
                var step = _allowed.WholeSeconds ? ", in whole seconds" : "";
                return $"{_allowed.Minimum} to {_allowed.Maximum}{zero}{step}";
            }

            var type = Nullable.GetUnderlyingType(Type) ?? Type;
            return type switch
            {
                { IsEnum: true } => string.Join(", ", Enum.GetNames(type)),
                _ when type == typeof(bool) => "true, false",
                _ => Property.GetCustomAttribute<AllowedTextAttribute>()?.Text ?? "text",
            };
        }
    }

    /// <summary>The value, or null when it is not one this setting accepts.</summary>
    public object? Parse(string text)
    {
        var value = ValueText.Parse(Type, _isSize, text);
        return value switch
        {
            TimeSpan time when !IsWhole(time) => null,
            IComparable number when _allowed is not null && !IsAllowed(number, _allowed) => null,
            _ => value,
        };
    }

    /// <summary><see cref="AllowedText"/> for a value that is not allowed, and what it does not tell because hardly anybody needs to know.</summary>
    public string AllowedInsteadOf(string refused) =>
        _allowed is not { WholeSeconds: true } && ValueText.Parse(Type, _isSize, refused) is TimeSpan time && !IsWhole(time)
            ? $"{AllowedText}, in whole milliseconds"
            : AllowedText;

    // Nothing counts finer than milliseconds: less of one would be 0, which often means something else.
    private bool IsWhole(TimeSpan time) =>
        time == TimeSpan.MaxValue
        || time.Ticks % (_allowed is { WholeSeconds: true } ? TimeSpan.TicksPerSecond : TimeSpan.TicksPerMillisecond) == 0;

    private bool IsAllowed(IComparable value, AllowedAttribute allowed) =>
        value.CompareTo(ValueText.Parse(Type, _isSize, allowed.Minimum)) >= 0 &&
        value.CompareTo(ValueText.Parse(Type, _isSize, allowed.Maximum)) <= 0;
}
