using System.Collections.Concurrent;
using System.Text;
using Broker.Gateway.Connections;
using Broker.Gateway.Hosting;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Retained;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Embedding;

/// <summary>Makes the subscribers inside the process, and ends those that are left when the broker stops: after its clients.</summary>
internal sealed class Subscribers(ConnectionServices services) : IConnectionDrain
{
    private readonly ConcurrentDictionary<SubscriberLink, byte> _open = new();

    /// <summary>Gives a subscriber its session and its subscriptions: durable ones are stored when it returns.</summary>
    public async Task<MqttSubscriber> SubscribeAsync(MqttSubscription wanted, CancellationToken cancellationToken)
    {
        Check(wanted);
        var clientId = SubscriberName.Of(wanted.Name);
        var expiry = wanted.SessionExpiry < services.SessionOptions.MaxSessionExpiry ? wanted.SessionExpiry : services.SessionOptions.MaxSessionExpiry;
        var seconds = expiry.TotalSeconds >= uint.MaxValue ? uint.MaxValue : (uint)Math.Ceiling(expiry.TotalSeconds);
        var (session, grant) = await SessionClaims.ClaimAsync(
            services,
            clientId,
            new SessionClaim
            {
                CleanStart = seconds == 0,
                ExpiryInterval = seconds,
                Version = ProtocolVersion.Mqtt5,
                Silo = services.IsCluster ? services.Silos.Local : null,
            },
            static () => false,
            cancellationToken);
        var link = new SubscriberLink(services, wanted.Capacity, Forget);
        _open[link] = 0;
        try
        {
            if (session is null || !link.Attach(session, grant.Epoch))
            {
                throw new MqttReasonException(ReasonCode.SessionTakenOver, "Another subscriber has taken the session meanwhile");
            }

            await SubscribeAsync(session, grant.Epoch, wanted, cancellationToken);
            return new MqttSubscriber(link, clientId, grant.SessionPresent);
        }
        catch
        {
            link.End();
            throw;
        }
    }

    /// <inheritdoc />
    public Task DrainAsync(CancellationToken cancellationToken)
    {
        foreach (var link in _open.Keys)
        {
            link.End();
        }

        return Task.CompletedTask;
    }

    private async Task SubscribeAsync(Session session, long epoch, MqttSubscription wanted, CancellationToken cancellationToken)
    {
        var replays = new List<RetainedReplay>();
        var changed = new List<SubscriptionBackup>();
        foreach (var former in session.Subscriptions.Where(former => !wanted.Filters.Contains(former.Filter, StringComparer.Ordinal)))
        {
            changed.Add(session.Backup(former.Filter));
            session.BeginUnsubscribe(former.Filter, epoch);
        }

        foreach (var filter in wanted.Filters)
        {
            changed.Add(session.Backup(filter));
            var request = new SubscriptionRequest(filter, wanted.MaximumQos, RetainHandling: wanted.RetainHandling);
            if (!SubscriptionStart.Begin(services, session, epoch, request, identifier: 0, replays))
            {
                throw new MqttReasonException(ReasonCode.SessionTakenOver, "Another subscriber has taken the session meanwhile");
            }
        }

        if (session.IsDurable)
        {
            await SaveAsync(session, epoch, changed);
        }

        changed.ForEach(c => session.EndUnsubscribe(c.Filter, epoch));
        SubscriptionStart.EndLeftGroups(services, session, changed);

        if (services.IsCluster)
        {
            await SubscriptionStart.RoutableAsync(services, changed, cancellationToken);
        }

        if (replays.Count > 0)
        {
            session.BeginReplays();
        }
    }

    private async Task SaveAsync(Session session, long epoch, List<SubscriptionBackup> changed)
    {
        try
        {
            await session.SaveSubscriptionsAsync(changed.ConvertAll(static c => c.Filter));
        }
        catch
        {
            // A session that lasts is subscribed to what it was: the application is told that nothing has changed.
            SubscriptionStart.PutBack(services, session, epoch, changed);
            throw;
        }
    }

    private void Check(MqttSubscription wanted)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wanted.Capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wanted.Capacity, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfLessThan(wanted.SessionExpiry, TimeSpan.Zero);
        if (wanted.MaximumQos > QualityOfService.AtLeastOnce)
        {
            throw new ArgumentException("A subscriber inside the process gets QoS 1 at most.", nameof(wanted));
        }

        if (wanted.Name is null ? wanted.SessionExpiry > TimeSpan.Zero : !IsName(wanted.Name))
        {
            throw new ArgumentException(
                $"A session that lasts needs a name; with $app/ it is at most {services.Limits.MaxClientIdLength} bytes (Broker:Limits:MaxClientIdLength).",
                nameof(wanted));
        }

        if (wanted.Filters.Count == 0 || !wanted.Filters.All(IsFilter))
        {
            throw new ArgumentException("Filters: at least one, and valid Topic Filters within Broker:Limits.", nameof(wanted));
        }
    }

    private bool IsName(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(SubscriberName.Of(name));
        return name.Length > 0 && bytes.Length <= services.Limits.MaxClientIdLength && Utf8Rules.IsValid(bytes);
    }

    private bool IsFilter(string filter)
    {
        var inner = filter;
        if (ExclusiveFilter.IsExclusive(filter) || (SharedFilter.IsShared(filter) && !SharedFilter.TryParse(filter, out inner)))
        {
            return false;
        }

        var bytes = Encoding.UTF8.GetBytes(inner);
        return Utf8Rules.IsValid(bytes) && TopicRules.IsValidFilter(bytes)
            && TopicRules.IsWithinLimits(bytes, services.Limits.MaxTopicLength, services.Limits.MaxTopicLevels);
    }

    private void Forget(SubscriberLink link) => _open.TryRemove(link, out _);
}
