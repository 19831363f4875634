using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>SUBSCRIBE and UNSUBSCRIBE of <c>$exclusive/FILTER</c>, which one client at most has.</summary>
internal sealed partial class ClientConnection
{
    /// <summary>An exclusive subscription: granted as it would be, unless another client has it.</summary>
    private async Task<ReasonCode> ClaimAsync(string filter, ReasonCode granted)
    {
        try
        {
            if (!await _services.Exclusive.TryClaimAsync(_session!, filter, CancellationToken.None))
            {
                return ForVersion(ReasonCode.QuotaExceeded);
            }
        }
        catch (StoreException error)
        {
            // It may have been claimed, and the answer lost.
            GiveBackUnlessHeld(filter);
            Log.SubscriptionsNotSaved(_services.Logger, ClientId, error);
            return ForVersion(StoreErrors.ReasonFor(error));
        }

        return granted;
    }

    /// <summary>A claim that no subscription has come of: the connection, or the session, has ended meanwhile.</summary>
    private void GiveBackUnlessHeld(string filter)
    {
        if (ExclusiveFilter.IsExclusive(filter) && !_session!.IsSubscribedTo(filter))
        {
            _services.Exclusive.GiveBack(_session, filter);
        }
    }

    /// <summary>What was exclusive is anybody's, before the client is told that it is not its any more.</summary>
    private async ValueTask<ReasonCode?> ReleaseAsync(List<SubscriptionBackup> ended)
    {
        if (!ended.Exists(static e => ExclusiveFilter.IsExclusive(e.Filter)))
        {
            return null;
        }

        try
        {
            await _services.Exclusive.UnsubscribedAsync(_session!, ended.ConvertAll(static e => e.Filter));
            return null;
        }
        catch (StoreException error)
        {
            Log.SubscriptionsNotSaved(_services.Logger, ClientId, error);
            return StoreErrors.ReasonFor(error);
        }
    }
}
