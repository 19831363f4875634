using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Grains.Shared;

/// <summary>One member of a group: the part of it that the choice of a member looks at, and the way to it.</summary>
internal abstract class GroupMember(string clientId)
{
    private volatile bool _hasRoom;
    private volatile bool _isAway = true;

    /// <summary>Client Identifier.</summary>
    public string ClientId => clientId;

    /// <summary>Of the Client Identifier; the same in every process.</summary>
    public ulong Hash { get; } = StableHash.Of(clientId);

    /// <summary>
    /// Whether it may take a message, as far as is known: it is asked all the same. A member that refuses sets it to false
    /// under the lock that decided so, and to true when that has changed, so that neither is lost.
    /// </summary>
    public bool HasRoom
    {
        get => _hasRoom;
        set => _hasRoom = value;
    }

    /// <summary>Whether its client is not connected.</summary>
    public bool IsAway
    {
        get => _isAway;
        set => _isAway = value;
    }

    /// <summary>Messages of the group that it has and has not acknowledged. Guarded by the lock of the group's session.</summary>
    public int Lent { get; set; }

    /// <summary>The choice in which it was asked and is not asked again. Guarded by the lock of the group's session.</summary>
    public long PassedOver { get; set; }

    /// <summary>Whether its session outlives its connection.</summary>
    public abstract bool IsDurable { get; }

    /// <summary>Granted QoS.</summary>
    public abstract QualityOfService Granted { get; }

    /// <summary>A loan has ended, <see cref="Lent"/> is one less. Under the lock of the group's session.</summary>
    public virtual void LoanEnded()
    {
    }

    /// <summary>Lends it a QoS 1 or 2 message. Under the lock of the group's session.</summary>
    /// <param name="loan">The message at the group.</param>
    public abstract SendStatus TryLend(scoped in PublishSource source, Delivery loan);

    /// <summary>Sends it a QoS 0 message. Under the lock of the group's session.</summary>
    public abstract SendStatus TrySendOnce(scoped in PublishSource source, bool retain);
}
