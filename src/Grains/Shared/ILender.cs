using Broker.Grains.Sessions;

namespace Broker.Grains.Shared;

/// <summary>
/// What a member's session has to do with the group that lends to it, wherever that is. Nothing but <see cref="Drain"/> takes
/// the lock of a session, so all of it may be called with one held.
/// </summary>
internal interface ILender
{
    /// <summary>Ends of loans, in the order in which a returned one is to be put back: the last lent first.</summary>
    void Put(ReadOnlySpan<Settlement> settlements);

    /// <summary>A member has room again.</summary>
    /// <returns>Whether <see cref="Drain"/> or <see cref="Schedule"/> is due.</returns>
    bool NoteRoom();

    /// <summary>Has everything that was put looked at on this thread, which holds no session's lock.</summary>
    void Drain();

    /// <summary>The same, by a thread of the pool.</summary>
    void Schedule();

    /// <summary>A member has come, gone, or changed.</summary>
    void MemberChanged();

    /// <summary>Makes a QoS 2 message a durable member's own.</summary>
    /// <param name="loan">The message at the group.</param>
    /// <param name="own">The member's, which does not leave before its row is committed.</param>
    void Transfer(LocalMember member, Delivery loan, Delivery own);
}
