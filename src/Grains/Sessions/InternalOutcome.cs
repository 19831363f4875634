using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>Outcomes of a publish that are no Reason Code of MQTT and never leave the silo.</summary>
public static class InternalOutcome
{
    /// <summary>
    /// A session has another owner by now. If this silo is alive, the owner has it by a move and was given the message too; if
    /// it was declared dead, the owner does not have it. So it counts as success, to be told while the silo is in its time.
    /// </summary>
    public const ReasonCode Elsewhere = (ReasonCode)0xFF;
}
