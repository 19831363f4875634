using System.Text;
using Broker.Grains.Storage;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <content>Items: small things that belong to no session.</content>
public abstract partial class MessageStoreTests
{
    [Fact]
    public async Task Items_are_kept_by_kind_and_key_and_a_lower_rank_does_not_replace_a_higher_one()
    {
        await Store.WriteAsync(batch =>
        {
            batch.PutItem(Item("k", "a", 0, "first"));
            batch.PutItem(Item("k", "b", 0, "stays"));
            batch.PutItem(Item("other", "a", 0, "not asked for"));
        });
        await Store.WriteAsync(batch => batch.PutItem(Item("k", "a", 1, "second")));
        await Store.WriteAsync(batch =>
        {
            batch.PutItem(Item("k", "a", 0, "late"));
            batch.PutItem(Item("k", "c", 5, "higher"));
            batch.PutItem(Item("k", "c", 4, "lower"));
        });
        await Store.WriteAsync(batch =>
        {
            batch.PutItem(Item("k", "d", 0, "never seen"));
            batch.DeleteItem("k", "d");
        });

        Assert.Equal(["a 1 second", "b 0 stays", "c 5 higher"], await TextAsync("k"));

        await Store.WriteAsync(batch => batch.DeleteItem("k", "b"));
        Assert.Equal(["a 1 second", "c 5 higher"], await TextAsync("k"));
        Assert.Equal(["a 0 not asked for"], await TextAsync("other"));
        Assert.Null(await Store.LoadItemAsync("k", "b", CancellationToken.None));
        var one = await Store.LoadItemAsync("k", "c", CancellationToken.None);
        Assert.Equal(("k", "c", 5, "higher"), (one!.Kind, one.Key, one.Rank, Encoding.UTF8.GetString(one.Value)));
    }

    private static ItemRow Item(string kind, string key, int rank, string value) => new(kind, key, rank, Encoding.UTF8.GetBytes(value));

    private async Task<IEnumerable<string>> TextAsync(string kind) =>
        (await Store.LoadItemsAsync(kind, CancellationToken.None)).Select(i => $"{i.Key} {i.Rank} {Encoding.UTF8.GetString(i.Value)}");
}
