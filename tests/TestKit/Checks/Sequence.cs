using System.Globalization;

namespace Broker.TestKit.Checks;

/// <summary>A message that can be accounted for: who published it and as which one.</summary>
public readonly record struct Sequence(int Publisher, int Number)
{
    public static Sequence Parse(string payload)
    {
        var parts = payload.Split(' ');
        return new(int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    public override string ToString() => $"{Publisher} {Number}";
}
