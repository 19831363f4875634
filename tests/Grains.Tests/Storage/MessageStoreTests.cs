using Broker.Grains.Storage;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <summary>
/// What every store must do, whatever it is made of. A subclass names the place; each test has one of its own, and every
/// store that it makes there sees what the one before left.
/// </summary>
public abstract partial class MessageStoreTests : IAsyncLifetime
{
    private readonly List<IMessageStore> _stores = [];

    /// <summary>The store that most tests work with, open.</summary>
    protected IMessageStore Store { get; private set; } = null!;

    public virtual async Task InitializeAsync()
    {
        Store = NewStore();
        await Store.OpenedAsync();
    }

    public virtual async Task DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }
    }

    /// <summary>Counters of <see cref="Store"/>.</summary>
    protected abstract StoreMetrics Metrics { get; }

    /// <summary>A store on the place of this test, not yet open.</summary>
    protected abstract IMessageStore CreateStore(int maximumPendingWrites, long maximumPendingBytes);

    protected IMessageStore NewStore(int maximumPendingWrites = 100_000, long maximumPendingBytes = 64 * 1024 * 1024)
    {
        var store = CreateStore(maximumPendingWrites, maximumPendingBytes);
        _stores.Add(store);
        return store;
    }

    /// <summary>Closes the store and opens another on the same place.</summary>
    protected async Task<RecoveredState> RestartAsync()
    {
        await Store.DisposeAsync();
        Store = NewStore();
        return await Store.OpenedAsync();
    }
}
