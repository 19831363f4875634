using Broker.Grains.Edges;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Topics;

/// <summary>The inbox as Orleans sees it: one on each silo, addressed by silo, up as long as the silo is active.</summary>
public sealed class SiloInbox : GrainService, ISiloInbox
{
    private readonly RepeatGuard<DeliveryOutcome> _repeats = new();
    private readonly InboxDelivery _delivery;
    private readonly InterestWatch _interest;

    public SiloInbox(
        GrainId id, Silo silo, ILoggerFactory loggers, InboxDelivery delivery, InterestWatch interest)
        : base(id, silo, loggers)
    {
        _delivery = delivery;
        _interest = interest;
    }

    /// <inheritdoc />
    public Task<DeliveryOutcome> Deliver(EdgeBatch batch) => _repeats.Once(
        batch.Edge, batch.Number, DeliveryOutcome.Success, () => _delivery.DeliverAsync(batch));

    /// <inheritdoc />
    public Task<SiloInterest> InterestIn(string filter) => Task.FromResult(_interest.InterestIn(filter));

    /// <inheritdoc />
    public Task<SiloInterest> Watch(string filter, Guid watcher) => Task.FromResult(_interest.Watch(filter, watcher));

    /// <inheritdoc />
    public Task Unwatch(string filter, Guid watcher)
    {
        _interest.Unwatch(filter, watcher);
        return Task.CompletedTask;
    }
}
