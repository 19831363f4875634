using Broker.Grains.Sessions;

namespace Broker.Grains.Shared;

/// <summary>
/// Stands for a message of a group where the group's session is not, or was not when it was lent: by the number of that
/// session and its sequence there.
/// </summary>
internal sealed class LoanStub : Delivery
{
    /// <summary>Number of the group's session.</summary>
    public required long Group { get; init; }
}
