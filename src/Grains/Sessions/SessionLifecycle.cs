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
    /// <exception cref="Exception">The store refused; nothing was promised to the client.</exception>
    public async Task<SessionGrant> ConnectAsync(string clientId, SessionClaim claim)
    {
        var existing = table.Find(clientId);
        var epoch = (existing?.Epoch ?? 0) + 1;
        var hasExpired = existing?.ExpiresAt <= environment.Now;
        var resumes = existing is { IsDurable: true } && !claim.CleanStart && !hasExpired;
        if (existing is not null)
        {
            TakeOver(existing, epoch, resumes);
        }

        Session session;
        if (resumes)
        {
            session = existing!;
            await session.LoadAsync(CancellationToken.None);
        }
        else
        {
            if (existing is not null)
            {
                End(existing);
            }

            session = table.Replace(clientId, claim.ExpiryInterval > 0 ? _store.NextSessionNumber() : 0, SessionState.Ready);
            session.Epoch = epoch;
        }

        session.ExpiresAt = null;
        session.ExpiryInterval = claim.ExpiryInterval;
        session.Version = claim.Version;
        session.Will = claim.Will is null ? null : new Will(clientId, claim.Will);
        if (session.IsDurable || session.Will is not null)
        {
            await WriteAsync(session, resumes);
        }

        return new SessionGrant(resumes, epoch);
    }

    /// <summary>A connection has ended. Nothing happens when another one owns the session by now.</summary>
    /// <param name="newExpiryInterval">Session Expiry Interval of a DISCONNECT, if it carried one.</param>
    public void ConnectionEnded(Session session, long epoch, EndCause cause, uint? newExpiryInterval)
    {
        if (!session.Detach(epoch))
        {
            return;
        }

        if (newExpiryInterval is { } interval)
        {
            session.ExpiryInterval = interval;
        }

        var will = session.Will;
        session.Will = null;
        var lasts = session.IsDurable && session.ExpiryInterval > 0;
        if (lasts)
        {
            session.ExpiresAt = session.ExpiryInterval == uint.MaxValue
                ? null
                : environment.Now + (session.ExpiryInterval * 1000L);
            _store.Post(new SessionWrite(session, isConnected: false, will: null));
            expiry.Add(session);
        }

        if (will is not null)
        {
            EndWill(will, cause, lasts ? session.ExpiryInterval : 0);
        }

        if (!lasts)
        {
            End(session);
        }
    }

    /// <summary>Ends a session whose client has stayed away too long.</summary>
    public bool Expire(string clientId)
    {
        var session = table.Find(clientId);
        if (session is null || session.IsConnected || !(session.ExpiresAt <= environment.Now))
        {
            return false;
        }

        environment.Log.Expired(clientId);
        End(session);
        return true;
    }

    private async Task WriteAsync(Session session, bool existed)
    {
        var write = new SessionWrite(session, isConnected: true, session.Will);
        try
        {
            _store.Post(write);
            await write.Committed;
        }
        catch when (!existed)
        {
            // Nothing of it is in the store: the client, which is told so, must not find it when it tries again.
            session.Will = null;
            End(session);
            throw;
        }
    }

    private void TakeOver(Session existing, long epoch, bool resumes)
    {
        var link = existing.Supersede(epoch);
        link?.Close(ReasonCode.SessionTakenOver);
        var will = existing.Will;
        existing.Will = null;
        if (will is not null && (will.DelayInterval == 0 || !resumes))
        {
            wills.Publish(will);
        }

        wills.ClientReturned(existing.ClientId, resumes);
    }

    private void EndWill(Will will, EndCause cause, uint sessionEndsIn)
    {
        switch (cause)
        {
            case EndCause.Disconnect:
                wills.Withdraw(will);
                break;
            case EndCause.BrokerStop:
                // Its row stays as it is: after the restart it waits for the client like the Will of a crashed broker.
                break;
            case EndCause.Lost:
            default:
                wills.ConnectionLost(will, sessionEndsIn);
                break;
        }
    }

    private void End(Session session)
    {
        session.End();
        table.Remove(session);
        table.FreeSlot(session.Slot);
        wills.SessionEnded(session.ClientId);
    }

    /// <summary>The session's row, with the Will of a new connection.</summary>
    private sealed class SessionWrite(Session session, bool isConnected, Will? will) : AwaitableWrite
    {
        private readonly SessionRow _row = new(
            session.Number, session.ClientId, session.Epoch, session.ExpiryInterval, session.ExpiresAt, session.CreatedAt, session.Version,
            isConnected ? null : session.SentUpTo);

        private long _previousEpoch;
        private bool _added;

        // The end of a connection has nobody to tell that the store refused it.
        public override bool MustSucceed => !isConnected;

        public override void AddTo(IStoreBatch batch)
        {
            if (session.IsDurable && (session.StoreEpoch == 0 || batch.Owns(session.Number, session.StoreEpoch)))
            {
                batch.PutSession(_row);
                _previousEpoch = session.StoreEpoch;
                session.StoreEpoch = _row.Epoch;
                _added = true;
            }

            if (will is not null)
            {
                batch.PutWill(will.ToRow(publishAt: null));
            }
        }

        // Writes before this one in the group, and this one itself, are added again under the epoch before it.
        public override void Retract()
        {
            if (_added)
            {
                _added = false;
                session.StoreEpoch = _previousEpoch;
            }
        }

        public override void Complete(Exception? error)
        {
            if (error is not null)
            {
                Retract();
            }

            base.Complete(error);
        }
    }
}

/// <summary>How a connection ended.</summary>
public enum EndCause
{
    /// <summary>Without a DISCONNECT, or with one that asks for the Will (0x04).</summary>
    Lost,

    /// <summary>DISCONNECT with reason 0x00.</summary>
    Disconnect,

    /// <summary>The broker stops.</summary>
    BrokerStop,
}
