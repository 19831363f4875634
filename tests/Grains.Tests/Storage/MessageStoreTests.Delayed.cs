using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Broker.Protocol;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <content>Messages that are to be published at a time.</content>
public abstract partial class MessageStoreTests
{
    [Fact]
    public async Task Delayed_messages_are_found_in_the_order_in_which_they_are_due_also_after_a_restart()
    {
        await Store.WriteAsync(batch =>
        {
            batch.PutDelayed(Delayed(30, 1));
            batch.PutDelayed(Delayed(10, 3));
            batch.PutDelayed(Delayed(10, 2));
            batch.PutDelayed(Delayed(20, 4));
        });
        await RestartAsync();

        Assert.Equal([2UL, 3, 4, 1], await DueAsync(long.MinValue, long.MaxValue));
        Assert.Equal([2UL, 3, 4], await DueAsync(long.MinValue, 20));
        Assert.Equal([4UL, 1], await DueAsync(10, long.MaxValue));
        Assert.Equal([2UL], await DueAsync(long.MinValue, 20, limit: 1));
        Assert.Equal(new DelayedSummary(4, 4 * 10), await Store.SummarizeDelayedAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Delayed_message_comes_back_with_all_that_it_carries()
    {
        var message = new ApplicationMessage([1, 2, 3, 4, 5], 2, 1)
        {
            Id = new MessageId(7, 8),
            Qos = QualityOfService.ExactlyOnce,
            Retain = true,
            ExpiresAt = 1234,
            Publisher = "p",
        };
        await Store.WriteAsync(batch => batch.PutDelayed(new DelayedRow(99, message)));

        Assert.Equal(
            [new DelayedKey(message.Id, 99, "p", 5, MessageId.None)],
            await Store.FindDelayedAsync(long.MinValue, 99, 10, CancellationToken.None));
        var row = (await Store.LoadDelayedAsync([message.Id, new MessageId(1, 1)], CancellationToken.None)).Single().Value;
        Assert.Equal((99, MessageId.None), (row.Due, row.PublishedAs));
        Assert.Equal(message.Bytes.ToArray(), row.Message.Bytes.ToArray());
        Assert.Equal(
            (message.Id, message.Qos, true, 1234, "p", 2, 1),
            (row.Message.Id, row.Message.Qos, row.Message.Retain, row.Message.ExpiresAt, row.Message.Publisher, row.Message.TopicLength, row.Message.PropertiesLength));
    }

    [Fact]
    public async Task Delayed_message_is_marked_and_deleted_alone_and_one_that_is_not_there_is_nothing()
    {
        await Store.WriteAsync(batch =>
        {
            batch.PutDelayed(Delayed(1, 1));
            batch.PutDelayed(Delayed(2, 2));
            batch.PutDelayed(Delayed(3, 3));
            batch.DeleteDelayed(Id(3));
        });
        await Store.WriteAsync(batch =>
        {
            batch.MarkDelayed(Id(2), Id(20));
            batch.MarkDelayed(Id(9), Id(90));
        });
        await Store.WriteAsync(batch => batch.DeleteDelayed(Id(1)));

        var left = Assert.Single(await Store.FindDelayedAsync(long.MinValue, long.MaxValue, 10, CancellationToken.None));
        Assert.Equal((Id(2), Id(20)), (left.Id, left.PublishedAs));
        Assert.Equal(Id(20), (await Store.LoadDelayedAsync([Id(2)], CancellationToken.None))[Id(2)].PublishedAs);
    }

    [Fact]
    public async Task Delayed_message_that_is_deleted_and_marked_in_one_transaction_is_gone()
    {
        await Store.WriteAsync(batch => batch.PutDelayed(Delayed(1, 1)));
        await Store.WriteAsync(batch =>
        {
            batch.DeleteDelayed(Id(1));
            batch.MarkDelayed(Id(1), Id(1));
        });

        Assert.Equal(default, await Store.SummarizeDelayedAsync(CancellationToken.None));
    }

    private static MessageId Id(ulong id) => new(id, 2);

    private static DelayedRow Delayed(long due, ulong id) => new(due, Message("payload", id: id));

    private async Task<IEnumerable<ulong>> DueAsync(long after, long until, int limit = 100) =>
        (await Store.FindDelayedAsync(after, until, limit, CancellationToken.None)).Select(static key => key.Id.High);
}
