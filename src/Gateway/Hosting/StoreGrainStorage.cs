using Broker.Grains.Storage;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Broker.Gateway.Hosting;

/// <summary>
/// State of grains in the embedded store: an item for each grain and state name, posted to the store's one writer. A write or a clear
/// completes with its commit; one that the store refuses throws the store's <see cref="StoreException"/> and leaves state and ETag as
/// they were. Not before the store is open, and for a store that only this process writes: the ETags are compared here.
/// </summary>
internal sealed class StoreGrainStorage(IMessageStore store, Serializer serializer, IActivatorProvider activators) : IGrainStorage
{
    private const string KindPrefix = "grain:";
    private const int TagBytes = 16;

    // More than writes of different grains that usually wait for one commit; two that share a turn wait for two.
    private const int TurnCount = 64;

    // Tagged members: another version of a state can be read.
    private readonly OrleansGrainStorageSerializer _serializer = new(serializer);

    // A read sees committed rows only: who compares an ETag keeps others of the grain away until its own write is one. That is a wait of
    // several steps, so no lock of a thread; and by hash, as a semaphore for each grain would have to be counted in and out.
    // What waits, here and in the store, does so on the pool: a grain that keeps its own scheduler busy keeps no turn and no reader by it.
    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, TurnCount).Select(static _ => new SemaphoreSlim(1))];

    /// <inheritdoc />
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var row = await Task.Run(() => LoadAsync(stateName, grainId));
        grainState.State = row is null ? New<T>() : _serializer.Deserialize<T>(new BinaryData(row.Value.AsMemory(TagBytes))) ?? New<T>();
        grainState.ETag = TagOf(row);
        grainState.RecordExists = row is not null;
    }

    /// <inheritdoc />
    /// <exception cref="InconsistentStateException">The row is not the one that the ETag was read from or written with.</exception>
    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        // Random rather than counted: a row that is cleared and written again has no ETag of before.
        var tag = Guid.NewGuid().ToByteArray();
        var row = new ItemRow(Kind(stateName), Key(grainId), 0, [.. tag, .. _serializer.Serialize(grainState.State).ToMemory().Span]);
        await ReplaceAsync(stateName, grainId, grainState.ETag, row);
        grainState.ETag = TagOf(row);
        grainState.RecordExists = true;
    }

    /// <inheritdoc />
    /// <exception cref="InconsistentStateException">The row is not the one that the ETag was read from or written with.</exception>
    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await ReplaceAsync(stateName, grainId, grainState.ETag, null);
        grainState.State = New<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private static string Kind(string stateName) => KindPrefix + stateName;

    private static string Key(GrainId grainId) => grainId.ToString();

    private static string? TagOf(ItemRow? row) => row is null ? null : Convert.ToHexString(row.Value.AsSpan(0, TagBytes));

    /// <param name="known">ETag of the row to replace; null: there is none.</param>
    /// <param name="row">What takes its place; null: nothing.</param>
    private Task ReplaceAsync(string stateName, GrainId grainId, string? known, ItemRow? row) => Task.Run(async () =>
    {
        var turn = _turns[(uint)grainId.GetHashCode() % TurnCount];
        await turn.WaitAsync();
        try
        {
            var stored = TagOf(await LoadAsync(stateName, grainId));
            if (stored != known)
            {
                throw new InconsistentStateException($"State {stateName} of grain {grainId} has changed since it was read.", stored, known);
            }

            var change = new Change(Kind(stateName), Key(grainId), row);
            store.Post(change);
            await change.Committed;
        }
        finally
        {
            turn.Release();
        }
    });

    private Task<ItemRow?> LoadAsync(string stateName, GrainId grainId) =>
        store.LoadItemAsync(Kind(stateName), Key(grainId), CancellationToken.None);

    private T New<T>() => activators.GetActivator<T>().Create();

    /// <param name="row">What takes the place of the item; null: nothing.</param>
    private sealed class Change(string kind, string key, ItemRow? row) : AwaitableWrite
    {
        public override int Bytes => base.Bytes + kind.Length + key.Length + (row?.Value.Length ?? 0);

        public override void AddTo(IStoreBatch batch)
        {
            if (row is null)
            {
                batch.DeleteItem(kind, key);
            }
            else
            {
                batch.PutItem(row);
            }
        }
    }
}
