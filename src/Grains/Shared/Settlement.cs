using Broker.Grains.Sessions;

namespace Broker.Grains.Shared;

/// <summary>What has become of a message that a group has lent.</summary>
/// <param name="Member">Who had it; null when the group's session knows, see <see cref="LoanStub"/>.</param>
/// <param name="Loan">The message at the group.</param>
internal readonly record struct Settlement(GroupMember? Member, Delivery Loan, LoanOutcome Outcome);

/// <summary>How a loan ends.</summary>
internal enum LoanOutcome : byte
{
    /// <summary>The member has it for good, or it need not be delivered: PUBACK, PUBREC, a refusal [MQTT-4.8.2-6], expired.</summary>
    Acknowledged,

    /// <summary>The member has gone without an answer: another one gets it.</summary>
    Returned,

    /// <summary>Its row has become one of the member's session, which completes it, now or when its client is back [MQTT-4.8.2-4].</summary>
    Moved,

    /// <summary>QoS 2, sent, and the member's session has ended: nobody else may get it [MQTT-4.8.2-5].</summary>
    Lost,

    /// <summary>
    /// No end: a member has the message from the silo where the group's session was before, so it does not wait here.
    /// </summary>
    Held,
}
