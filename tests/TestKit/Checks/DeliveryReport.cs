namespace Broker.TestKit.Checks;

/// <summary>The count of each way in which delivery can go wrong.</summary>
public sealed record DeliveryReport(
    int Acknowledged, int Lost, int Duplicated, int Reordered, int WrongSessionPresent, IReadOnlyList<string> Details)
{
    public bool IsClean => Lost + Duplicated + Reordered + WrongSessionPresent == 0;

    public override string ToString() =>
        $"acknowledged {Acknowledged}, lost {Lost}, duplicated {Duplicated}, reordered {Reordered}, "
        + $"wrong session present {WrongSessionPresent}{string.Concat(Details.Select(detail => "\n  " + detail))}";
}
