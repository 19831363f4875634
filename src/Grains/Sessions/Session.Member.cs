using Broker.Grains.Messages;
using Broker.Grains.Shared;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>
/// A session as a member of groups: it borrows their messages, and says when it is done with one or has room again. The
/// group is never called with this session's lock held.
/// </summary>
public sealed partial class Session
{
    private List<LocalMember>? _memberships;

    // Whether some group was told that there is no room, and has to be told when there is.
    private bool _owesRoom;

    /// <summary>
    /// Takes a message of a group: sent at once, or queued when the window has room but something waits before it. Called by
    /// the group, under the lock of its session.
    /// </summary>
    /// <param name="mayWait">It has been counted by who lends it, and waits here when there is no room.</param>
    /// <returns>Sent when it is taken; Full and Closed: the member has no room, and says when that changes.</returns>
    internal SendStatus TryBorrow(LocalMember member, scoped in PublishSource source, Delivery loan, bool mayWait = false)
    {
        lock (_gate)
        {
            if (!HasRoom(member) && !(mayWait && IsHere(member)))
            {
                return Refuse(member);
            }

            // Each member has what it was granted [MQTT-4.8.2-3].
            var subscription = member.Subscription;
            var qos = loan.Qos < subscription.Qos ? loan.Qos : subscription.Qos;
            var retain = loan.Retain && subscription.RetainAsPublished;
            if (qos == QualityOfService.AtMostOnce)
            {
                return BorrowOnce(member, source, loan, retain);
            }

            var isOwn = IsDurable && qos == QualityOfService.ExactlyOnce;
            var message = loan.Message!;
            ReadOnlySpan<uint> identifiers = subscription.Identifier == 0 ? [] : [subscription.Identifier];
            var delivery = NewDelivery(message, qos, retain, identifiers, isOwn ? _env.Store.NextMessageNumber() : 0);
            if (isOwn)
            {
                // Its packet id must be the same after any crash (promise 2): it leaves when its row is committed.
                delivery.SetRowState(RowState.Pending);
                _queue.Enqueue(delivery);
                member.Lender.Transfer(member, loan, delivery);
                return SendStatus.Sent;
            }

            delivery.Lender = member;
            delivery.Loan = loan;
            delivery.WasSent = loan.WasSent && qos == QualityOfService.AtLeastOnce;
            return Borrow(member, source, delivery, mayWait);
        }
    }

    /// <summary>Sends a QoS 0 message of a group. Called by the group, under the lock of its session.</summary>
    internal SendStatus TryTakeOnce(LocalMember member, scoped in PublishSource source, bool retain)
    {
        lock (_gate)
        {
            return HasRoom(member) && !_queue.HasQos0 ? SendOnce(member, source, retain) : Refuse(member);
        }
    }

    private SendStatus Borrow(LocalMember member, scoped in PublishSource source, Delivery delivery, bool mayWait)
    {
        if (CanSend && _queue.IsEmpty && HasWindowFor(delivery))
        {
            var status = TrySend(delivery, source);
            if (status == SendStatus.Sent)
            {
                AddInflight(delivery);
                return status;
            }

            if (status == SendStatus.TooLarge || !mayWait)
            {
                return status == SendStatus.TooLarge ? status : Refuse(member);
            }
        }

        _queue.Enqueue(delivery);
        return SendStatus.Sent;
    }

    private SendStatus BorrowOnce(LocalMember member, scoped in PublishSource source, Delivery loan, bool retain)
    {
        var status = SendOnce(member, source, retain);
        if (status == SendStatus.Sent)
        {
            // Nothing more will be heard of it. The group's session adds it to what is in flight first.
            member.Lender.Put([new Settlement(member, loan, LoanOutcome.Acknowledged)]);
            member.Lender.Schedule();
        }

        return status;
    }

    private SendStatus SendOnce(LocalMember member, scoped in PublishSource source, bool retain)
    {
        var identifier = member.Subscription.Identifier;
        ReadOnlySpan<uint> identifiers = identifier == 0 ? [] : [identifier];
        var header = new DeliveryHeader { Retain = retain && member.Subscription.RetainAsPublished, SubscriptionIdentifiers = identifiers };
        var status = _link!.TryPublish(source, header);
        if (status == SendStatus.Full)
        {
            _isBlocked = true;
        }

        return status is SendStatus.Sent or SendStatus.TooLarge ? status : Refuse(member);
    }

    /// <summary>A message that was to become this session's own did not; the group still has it.</summary>
    internal void Withdraw(Delivery delivery)
    {
        lock (_gate)
        {
            if (_queue.Contains(delivery))
            {
                _queue.Remove(delivery);
                Pump();
            }
        }
    }

    /// <summary>Messages that its client may have unacknowledged at a time.</summary>
    internal int Window => Volatile.Read(ref _window);

    /// <summary>A membership is with another lender: what that knows of the member begins anew.</summary>
    internal void Rejoin(LocalMember member)
    {
        lock (_gate)
        {
            member.IsAway = _link is null;
            _owesRoom = _link is not null;
            OfferRoomIfOwed();
        }
    }

    private bool IsHere(LocalMember member) =>
        _state == SessionState.Ready && _link is not null && member.IsJoined;

    private bool HasRoom(LocalMember member) => IsHere(member) && HasRoom();

    private bool HasRoom() => CanSend && _inflight.Count + _queue.Total < _window;

    private SendStatus Refuse(LocalMember member)
    {
        member.HasRoom = false;
        member.IsAway = _link is null;
        _owesRoom = true;
        return _link is null ? SendStatus.Closed : SendStatus.Full;
    }

    /// <summary>Tells the groups that there is room, if they believe that there is none.</summary>
    private void OfferRoom()
    {
        if (!HasRoom())
        {
            return;
        }

        _owesRoom = false;
        foreach (var member in _memberships ?? [])
        {
            member.HasRoom = true;
            if (member.Lender.NoteRoom())
            {
                LenderTurn.Add(member.Lender);
            }
        }
    }

    private void BeginMembership()
    {
        _owesRoom = _memberships is { Count: > 0 };
        foreach (var member in _memberships ?? [])
        {
            member.IsAway = false;
            member.Lender.MemberChanged();
        }
    }

    private void JoinGroup(Subscription subscription, bool isNew)
    {
        if (!isNew)
        {
            _env.Shared.Changed(subscription);
            return;
        }

        var member = _env.Shared.Join(subscription);
        lock (_gate)
        {
            if (_state != SessionState.Ended)
            {
                (_memberships ??= []).Add(member);
                member.IsJoined = true;
                member.IsAway = _link is null;
                _owesRoom |= _link is not null;
                OfferRoomIfOwed();
                member.Lender.MemberChanged();
                return;
            }
        }

        _env.Shared.Leave(subscription, mayEndGroup: true);
    }

    private void OfferRoomIfOwed()
    {
        if (_owesRoom)
        {
            OfferRoom();
        }
    }

    private void LeaveGroup(Subscription subscription, bool mayEndGroup)
    {
        lock (_gate)
        {
            if (subscription.Member is { } member && _memberships is not null && _memberships.Remove(member))
            {
                member.IsJoined = false;

                // What was sent is completed [MQTT-3.10.4-3].
                EndLoans(TakeWaiting(lender => lender == member));
            }
        }

        _env.Shared.Leave(subscription, mayEndGroup);
    }
}
