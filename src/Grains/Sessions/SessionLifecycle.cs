using Broker.Grains.Hooks;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Wills;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>
/// Birth, takeover and end of the sessions of this silo. A client's CONNECTs reach it one at a time through the client's
/// Session grain; a CONNECT that asks for nothing durable and finds no session takes the short way through
/// <see cref="SessionTable.TryAddEphemeral"/>, which only one of several can win.
/// </summary>
public sealed class SessionLifecycle(
    SessionTable table, SessionEnvironment environment, WillService wills, SessionExpiryQueue expiry)
{
    private readonly IMessageStore _store = environment.Store;

    /// <summary>
    /// Resumes or starts the session of a client. When it returns, an earlier connection no longer acts for the client,
    /// and what the CONNECT asked to be durable is (promise 1: CONNACK).
    /// </summary>
    /// <exception cref="Exception">The store refused; nothing was promised to the client, and its session is as it was.</exception>
    public async Task<SessionGrant> ConnectAsync(string clientId, SessionClaim claim)
    {
        if (table.Find(clientId) is { IsDurable: true } ending && (claim.CleanStart || HasExpired(ending)))
        {
            await ending.NameStoredAsync();
        }

        var taken = TakeOver(clientId, claim);
        var session = taken.Session;
        var before = (session.ExpiresAt, session.ExpiryInterval);
        try
        {
            if (taken.Resumes)
            {
                await session.LoadAsync(CancellationToken.None);
            }

            session.ExpiresAt = null;
            session.ExpiryInterval = claim.ExpiryInterval;
            session.Version = claim.Version;
            session.Will = claim.Will is null ? null : new Will(clientId, claim.Will);
            if (session.IsDurable || session.Will is not null || taken.ChangesRows || taken.Unpublished is not null)
            {
                var write = new SessionWrite(session, isConnected: true, session.Will, deletesWill: taken.Unpublished is not null);
                _store.Post(write);
                await write.Committed;
            }
        }
        catch
        {
            session.Will = null;
            if (taken.Resumes)
            {
                PutBack(taken, before.ExpiresAt, before.ExpiryInterval);
            }
            else
            {
                // Nothing of it is in the store: the client, which is told so, must not find it when it tries again.
                End(session, mayBeStored: false);
                if (taken.Unpublished is { } unpublished)
                {
                    wills.Delay(unpublished);
                }
            }

            throw;
        }

        TellBegun(clientId, taken.Resumes, session.IsDurable);

        // Session Present [MQTT-3.2.2-2] [MQTT-3.2.2-3].
        return new SessionGrant(taken.Resumes, taken.Epoch);
    }

    /// <summary>A session that a CONNECT asked for has begun or goes on.</summary>
    public void TellBegun(string clientId, bool isResumed, bool isDurable)
    {
        if (environment.Events is not { } events)
        {
            return;
        }

        events.Tell(isResumed
            ? new SessionResumed { Time = events.Now, ClientId = clientId }
            : new SessionCreated { Time = events.Now, ClientId = clientId, IsDurable = isDurable });
    }

    /// <summary>A connection has ended. Nothing happens when another one owns the session by now.</summary>
    /// <param name="newExpiryInterval">Session Expiry Interval of a DISCONNECT, if it carried one.</param>
    public void ConnectionEnded(Session session, long epoch, EndCause cause, uint? newExpiryInterval)
    {
        // A CONNECT that takes over finds all of this done, or none of it and the epoch raised.
        lock (session.Lifecycle)
        {
            if (session.Detach(epoch))
            {
                Detached(session, cause, newExpiryInterval);
            }
        }
    }

    /// <summary>Whether a CONNECT that asks for nothing durable finds nothing here that it has to decide about.</summary>
    public bool MayStartAnew(string clientId) => !wills.IsDelayed(clientId);

    /// <summary>
    /// The client has connected to another silo: its connection here is closed. A session that lasts stays, and collects,
    /// until the other silo has it (<see cref="Forget"/>); any other ends.
    /// </summary>
    /// <param name="cleanStart">Whether the CONNECT ends the session: then its Will has no delay to wait for [MQTT-3.1.2-8].</param>
    /// <returns>The session that stays, if there is one.</returns>
    public Session? Depart(string clientId, bool cleanStart = false)
    {
        if (table.Find(clientId) is not { } session)
        {
            Withdraw(wills.ClientReturned(clientId, isResumed: false));
            return null;
        }

        lock (session.Lifecycle)
        {
            if (session.State == SessionState.Ended)
            {
                return null;
            }

            var hasExpired = session.ExpiresAt <= environment.Now;
            var resumes = session.IsDurable && !cleanStart && !hasExpired;
            if (session.IsDeparting)
            {
                // By an earlier attempt: another epoch would only make that one fail, and its write is under way. A Will may have come since.
                Withdraw(wills.ClientReturned(clientId, resumes));
                return session;
            }

            Withdraw(TakeOver(session, session.Epoch + 1, resumes));
            if (!session.IsDurable)
            {
                End(session);
                return null;
            }

            session.IsDeparting = true;

            _store.Post(new SessionWrite(session, isConnected: false, will: null, deletesWill: false));
            return session;
        }
    }

    /// <summary>
    /// Completes when everything that this silo has for a session is committed, but for what is still being routed: whom that
    /// matters to waits for the <see cref="Cluster.RoutingGate"/> before.
    /// </summary>
    public async Task FlushAsync(string clientId)
    {
        if (table.Find(clientId) is { } session)
        {
            session.PostPending();
            await session.NamedAsync();
        }

        await _store.FlushAsync();
    }

    /// <summary>Another silo has the session now.</summary>
    public void Forget(string clientId)
    {
        if (table.Find(clientId) is { IsDeparting: true } session)
        {
            table.Discard(session);
        }
    }

    private void Detached(Session session, EndCause cause, uint? newExpiryInterval)
    {
        if (newExpiryInterval is { } interval)
        {
            session.ExpiryInterval = interval;
        }

        var will = session.Will;
        session.Will = null;

        // Whether it outlives its connection [MQTT-3.1.2-23].
        var lasts = session.IsDurable && session.ExpiryInterval > 0;
        if (lasts)
        {
            session.ExpiresAt = session.ExpiryInterval == uint.MaxValue
                ? null
                : environment.Now + (session.ExpiryInterval * 1000L);
            _store.Post(new SessionWrite(session, isConnected: false, will: null, deletesWill: false));
            expiry.Add(session);
        }

        // While the session is still there: a CONNECT of the same client finds it, and waits for the end of this.
        if (will is not null)
        {
            EndWill(will, cause, lasts ? session.ExpiryInterval : 0);
        }

        if (!lasts)
        {
            table.End(session);
        }
    }

    /// <summary>Ends a session whose client has stayed away too long [MQTT-4.1.0-2].</summary>
    public async Task<bool> ExpireAsync(string clientId)
    {
        var session = table.Find(clientId);
        if (session is null || !HasExpired(session))
        {
            return false;
        }

        await session.NameStoredAsync();
        if (!HasExpired(session))
        {
            return false;
        }

        environment.Log.Expired(clientId);
        End(session);
        if (environment.Events is { } events)
        {
            events.Tell(new SessionExpired { Time = events.Now, ClientId = clientId });
        }

        return true;
    }

    // Never while its client is connected [MQTT-4.1.0-1].
    private bool HasExpired(Session session) => !session.IsConnected && session.ExpiresAt <= environment.Now;

    /// <summary>
    /// Takes the client id from whoever has it; goes on with a session that lasts [MQTT-3.1.2-5], else ends it and starts a new one
    /// [MQTT-3.1.2-6], as with Clean Start always [MQTT-3.1.2-4] [MQTT-3.1.4-4].
    /// </summary>
    private Takeover TakeOver(string clientId, SessionClaim claim)
    {
        var epoch = 1L;
        var endedDurable = false;
        DelayedWill? unpublished = null;
        while (true)
        {
            var existing = table.Find(clientId);
            if (existing is null)
            {
                unpublished ??= wills.ClientReturned(clientId, isResumed: false);
                var number = claim.ExpiryInterval > 0 ? _store.NextSessionNumber() : 0;
                if (table.TryAdd(clientId, number, epoch) is { } started)
                {
                    return new Takeover(started, epoch, Resumes: false, unpublished, endedDurable);
                }

                // A CONNECT that asks for nothing durable was faster: it is the one to take over from.
                continue;
            }

            lock (existing.Lifecycle)
            {
                existing.IsDeparting = false;
                epoch = Math.Max(epoch, existing.Epoch + 1);
                if (existing.State == SessionState.Ended)
                {
                    table.Remove(existing);
                    continue;
                }

                var hasExpired = existing.ExpiresAt <= environment.Now;
                var resumes = existing.IsDurable && !claim.CleanStart && !hasExpired;
                unpublished = TakeOver(existing, epoch, resumes) ?? unpublished;
                if (resumes)
                {
                    return new Takeover(existing, epoch, Resumes: true, unpublished, ChangesRows: true);
                }

                endedDurable |= existing.IsDurable;
                End(existing);
            }
        }
    }

    /// <summary>Closes the earlier connection [MQTT-3.1.4-3] and publishes its Will if that is what a takeover means for it.</summary>
    /// <returns>A Will that is not published because its client is back.</returns>
    private DelayedWill? TakeOver(Session existing, long epoch, bool resumes)
    {
        var link = existing.Supersede(epoch);
        if (link is not null)
        {
            link.Close(ReasonCode.SessionTakenOver);
            if (environment.Events is { } events)
            {
                events.Tell(new SessionTakenOver { Time = events.Now, ClientId = existing.ClientId });
            }
        }

        var delayed = wills.ClientReturned(existing.ClientId, resumes);
        var will = existing.Will;
        existing.Will = null;
        if (will is null)
        {
            return delayed;
        }

        if (link is { IsSentAway: true })
        {
            // It is back before the end of its connection has been seen to. When this CONNECT is refused it has the usual time left: a session
            // that it has ended all the same has no delay to wait for.
            var grace = (long)environment.Options.WillGraceAfterRestart.TotalMilliseconds;
            var delay = resumes ? will.DelayInterval * 1000L : 0;
            return new DelayedWill(will, environment.Now + Math.Max(delay, grace), IsLeftByBroker: true);
        }

        if (will.DelayInterval == 0 || !resumes)
        {
            wills.Publish(will);
            return null;
        }

        return new DelayedWill(will, environment.Now + (will.DelayInterval * 1000L), IsLeftByBroker: false);
    }

    /// <summary>A CONNECT was refused: the session waits on as it did, or as if its connection had just been lost.</summary>
    private void PutBack(in Takeover taken, long? expiresAt, uint expiryInterval)
    {
        var session = taken.Session;
        session.ExpiryInterval = expiryInterval;
        session.ExpiresAt = expiresAt
            ?? (expiryInterval == uint.MaxValue ? null : environment.Now + (expiryInterval * 1000L));
        expiry.Add(session);
        if (taken.Unpublished is { } unpublished)
        {
            wills.Delay(unpublished);
        }
    }

    private void Withdraw(DelayedWill? unpublished)
    {
        if (unpublished is { Will: { } will })
        {
            wills.Withdraw(will);
        }
    }

    private void EndWill(Will will, EndCause cause, uint sessionEndsIn)
    {
        switch (cause)
        {
            case EndCause.Disconnect:
                wills.Withdraw(will);
                break;
            case EndCause.SentAway:
                // Its row stays as it is: here, on another silo or after a restart it waits for the client like the Will of a crashed broker.
                wills.Defer(will, sessionEndsIn, environment.Options.WillGraceAfterRestart);
                break;
            case EndCause.Lost:
            default:
                wills.ConnectionLost(will, sessionEndsIn);
                break;
        }
    }

    private void End(Session session, bool mayBeStored = true)
    {
        table.End(session, mayBeStored);
        wills.SessionEnded(session.ClientId);
    }

    /// <param name="Unpublished">A Will of an earlier connection whose row has to go.</param>
    /// <param name="ChangesRows">
    /// Whether CONNACK has to wait for a commit whatever the new session is: a session that a Clean Start has ended must
    /// not come back after a crash.
    /// </param>
    private readonly record struct Takeover(
        Session Session, long Epoch, bool Resumes, DelayedWill? Unpublished, bool ChangesRows);
}
