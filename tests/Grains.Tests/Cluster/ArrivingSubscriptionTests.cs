using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Cluster;

/// <summary>Subscriptions that the former silo of a session changes while the session moves.</summary>
public sealed class ArrivingSubscriptionTests
{
    [Fact]
    public async Task Session_arrives_with_the_subscriptions_that_the_store_has_once_it_is_claimed()
    {
        await using var silo = await AdoptingSilo.StartAsync();
        var number = await silo.Other.NewSessionAsync("c");
        await silo.Other.WriteAsync(batch =>
        {
            batch.PutSubscription(new SubscriptionRow(number, "stays", 1, 0));
            batch.PutSubscription(new SubscriptionRow(number, "goes", 1, 0));
            batch.PutSubscription(new SubscriptionRow(number, "$share/g/goes", 1, 0));
        });
        var place = (await silo.Cluster.FindAsync("c", CancellationToken.None))!;
        var session = silo.Recovery.AddArriving(await silo.Cluster.LoadAsync([number], CancellationToken.None), adoption: null);
        Assert.True(IsRouted("goes"));

        // A SUBSCRIBE and an UNSUBSCRIBE that had begun there.
        await silo.Other.WriteAsync(batch =>
        {
            batch.PutSubscription(new SubscriptionRow(number, "comes", 1, 0));
            batch.DeleteSubscription(number, "goes");
            batch.DeleteSubscription(number, "$share/g/goes");
        });
        Assert.Equal([number], await silo.Cluster.ClaimAsync([(number, place.Owner, place.Epoch)], CancellationToken.None));
        silo.Recovery.Arrive(session, await silo.Cluster.LoadAsync([number], CancellationToken.None), new RecentMessages());

        Assert.Equal(["comes", "stays"], session.Subscriptions.Select(static s => s.Filter).Order(StringComparer.Ordinal));
        Assert.True(IsRouted("comes"));
        Assert.True(IsRouted("stays"));
        Assert.False(IsRouted("goes"));

        bool IsRouted(string topic)
        {
            var source = new PublishSource(Message(topic: topic));
            PublishRecord? record = null;
            silo.Router.Route(ref source, null, ref record);
            record?.Seal();
            return record is not null;
        }
    }
}
