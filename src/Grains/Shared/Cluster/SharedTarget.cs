using Broker.Grains.Cluster;
using Broker.Grains.Edges;
using Broker.Grains.Interfaces.Shared;
using Broker.Grains.Topics;

namespace Broker.Grains.Shared.Cluster;

/// <summary>The other end of the edge of groups to a silo.</summary>
internal sealed class SharedTarget(Peer silo, SiloAddress local) : IEdgeTarget<SharedItem>
{
    private readonly Guid _id = Guid.NewGuid();
    private SharedBatch? _encoded;

    public bool IsGone => silo.IsGone;

    public int BytesOf(SharedItem item) => item.Size;

    public async Task SendAsync(IReadOnlyList<SharedItem> items, long number)
    {
        if (_encoded?.Number != number)
        {
            _encoded = Encode(items, number);
        }

        var answer = await silo.Inbox.Share(_encoded).WaitAsync(silo.GoneToken);
        _encoded = null;
        foreach (var item in items)
        {
            (item as MembersItem)?.Told(answer.Unknown);
        }
    }

    public void Undeliverable(IReadOnlyList<SharedItem> items)
    {
        foreach (var item in items)
        {
            item.Undeliverable();
        }
    }

    private SharedBatch Encode(IReadOnlyList<SharedItem> items, long number)
    {
        var loans = new List<SharedLoan>();
        var messages = new List<RoutedMessage>();
        foreach (var item in items.OfType<LoanItem>())
        {
            loans.Add(item.ToLoan());
            messages.Add(new RoutedMessage(item.Message));
        }

        return new SharedBatch
        {
            Edge = _id,
            Number = number,
            Origin = local,
            Members = [.. items.OfType<MembersItem>().Select(static i => i.Take())],
            Settlements = [.. items.OfType<SettlementItem>().SelectMany(static i => i.Settlements)],
            Loans = [.. loans],
            Messages = messages.Count == 0 ? null : MessageBatchCodec.Encode(messages, local),
        };
    }
}
