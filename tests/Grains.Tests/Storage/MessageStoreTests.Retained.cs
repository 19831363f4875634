using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <content>Retained messages: the highest id stays, whatever the order of the writes.</content>
public abstract partial class MessageStoreTests
{
    [Fact]
    public async Task Retained_messages_are_replaced_by_topic_and_cleared()
    {
        var second = Message("two", "t/1", id: 2);
        await Store.WriteAsync(batch =>
        {
            batch.PutRetained("t/1", 10, Message("one", "t/1"));
            batch.PutRetained("t/2", 11, Message("one", "t/2"));
        });
        await Store.WriteAsync(batch =>
        {
            batch.PutRetained("t/1", 10, second);
            batch.ClearRetained("t/2", new MessageId(2, 0));
        });

        var row = Assert.Single(await RetainedAsync());
        Assert.Equal(("t/1", 10), (row.Topic, row.Number));
        AssertSame(second, row.Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_retained_message_or_clear_that_is_older_changes_nothing(bool inOneBatch)
    {
        await WriteAllAsync(
            inOneBatch,
            batch => batch.PutRetained("a", 10, Message("new", "a", id: 5)),
            batch => batch.PutRetained("a", 11, Message("old", "a", id: 4)),
            batch => batch.ClearRetained("a", new MessageId(5, 1)));

        var row = Assert.Single(await RetainedAsync());
        Assert.Equal(("a", 10), (row.Topic, row.Number));
        AssertSame(Message("new", "a", id: 5), row.Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_retained_message_ends_with_its_own_version(bool inOneBatch)
    {
        await WriteAllAsync(
            inOneBatch,
            batch => batch.PutRetained("a", 10, Message("one", "a", id: 5)),
            batch => batch.ClearRetained("a", Message(id: 5).Id));

        Assert.Empty(await RetainedAsync());
    }

    [Fact]
    public async Task A_topic_that_was_cleared_can_be_set_again()
    {
        await Store.WriteAsync(batch => batch.PutRetained("a", 10, Message("one", "a", id: 1)));
        await Store.WriteAsync(batch => batch.ClearRetained("a", new MessageId(2, 0)));
        await Store.WriteAsync(batch => batch.PutRetained("a", 12, Message("three", "a", id: 3)));

        Assert.Equal(12, Assert.Single(await RetainedAsync()).Number);
    }

    private async Task WriteAllAsync(bool inOneBatch, params Action<IStoreBatch>[] writes)
    {
        if (inOneBatch)
        {
            await Store.WriteAsync(batch => Array.ForEach(writes, write => write(batch)));
            return;
        }

        foreach (var write in writes)
        {
            await Store.WriteAsync(write);
        }
    }

    private async Task<IEnumerable<RetainedRow>> RetainedAsync() =>
        (await RestartAsync()).Retained.Where(static row => !row.IsCleared);
}
