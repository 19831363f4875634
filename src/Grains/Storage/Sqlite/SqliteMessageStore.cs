using Broker.Grains.Messages;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>
/// The embedded store: one SQLite file with a write-ahead log, one writer with group commit, a few readers. Made for one
/// broker; the folder is locked against a second one, because the writer remembers what the file holds.
/// </summary>
public sealed class SqliteMessageStore : IMessageStore
{
    private readonly SqliteStoreOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly IReadOnlyList<string> _migrations;
    private readonly SqliteReaderPool _readers;
    private SqliteOpened? _opened;
    private GroupCommitter? _committer;
    private bool _disposed;

    public SqliteMessageStore(
        SqliteStoreOptions options, ILogger<SqliteMessageStore> logger, StoreMetrics? metrics = null, TimeProvider? time = null)
        : this(options, logger, metrics, time, SqliteSchema.Migrations)
    {
    }

    internal SqliteMessageStore(
        SqliteStoreOptions options,
        ILogger logger,
        StoreMetrics? metrics,
        TimeProvider? time,
        IReadOnlyList<string> migrations)
    {
        _options = options;
        _logger = logger;
        _migrations = migrations;
        _time = time ?? TimeProvider.System;
        Metrics = metrics ?? new StoreMetrics();
        _readers = new SqliteReaderPool(() => new SqliteReader(options.Path, options.CacheBytes / 8), options.Readers);
    }

    /// <summary>Counters of this store.</summary>
    public StoreMetrics Metrics { get; }

    /// <inheritdoc />
    public string Description => $"sqlite {_options.Path}";

    /// <inheritdoc />
    public bool IsAvailable => _committer is { IsAvailable: true };

    /// <inheritdoc />
    public bool IsCongested => _committer is { IsCongested: true };

    private SqliteOpened Opened => _opened ?? throw new InvalidOperationException("The store has not been opened.");

    /// <inheritdoc />
    public ValueTask WaitUntilDrainedAsync(CancellationToken cancellationToken) =>
        _committer?.WaitUntilDrainedAsync(cancellationToken) ?? ValueTask.CompletedTask;

    /// <inheritdoc />
    public Task<RecoveredState> OpenAsync(CancellationToken cancellationToken) =>
        Task.Run(() => Open(cancellationToken), cancellationToken);

    /// <inheritdoc />
    public void NoteAlive() => Opened.NoteAlive();

    /// <inheritdoc />
    public void Post(StoreWrite write)
    {
        var committer = _committer ?? throw new InvalidOperationException("The store has not been opened.");
        committer.Post(write);
    }

    /// <inheritdoc />
    public long NextMessageNumber() => Opened.Target.MessageNumbers.Next();

    /// <inheritdoc />
    public long NextSessionNumber() => Opened.Target.SessionNumbers.Next();

    /// <inheritdoc />
    public Task<SessionRow?> LoadSessionAsync(string clientId, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.Session(clientId), cancellationToken);

    /// <inheritdoc />
    public Task<List<DeliveryRow>> LoadDeliveriesAsync(long session, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.Deliveries(session, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<List<InboundRow>> LoadInboundIdsAsync(long session, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.InboundIds(session), cancellationToken);

    /// <inheritdoc />
    public Task<Dictionary<long, ApplicationMessage>> LoadMessagesAsync(
        IReadOnlyList<long> numbers, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.Messages(numbers, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<Dictionary<long, (MessageId Id, byte[] Topic)>> LoadTopicsAsync(IReadOnlyList<long> numbers, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.Topics(numbers, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<List<(byte[] Topic, int Count)>> CountTopicsAsync(long session, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.TopicCounts(session, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<List<ItemRow>> LoadItemsAsync(string kind, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.Items(kind), cancellationToken);

    /// <inheritdoc />
    public Task<ItemRow?> LoadItemAsync(string kind, string key, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.Item(kind, key), cancellationToken);

    /// <inheritdoc />
    public Task<List<(string ClientId, bool IsReleased, long Sequence)>> FindDeliveriesAsync(MessageId id, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.DeliveriesOf(id, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<DelayedSummary> SummarizeDelayedAsync(CancellationToken cancellationToken) =>
        _readers.RunAsync(static reader => reader.DelayedSummary(), cancellationToken);

    /// <inheritdoc />
    public Task<List<DelayedKey>> FindDelayedAsync(long after, long until, int limit, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.DelayedKeys(after, until, limit), cancellationToken);

    /// <inheritdoc />
    public Task<Dictionary<MessageId, DelayedRow>> LoadDelayedAsync(IReadOnlyCollection<MessageId> ids, CancellationToken cancellationToken) =>
        _readers.RunAsync(reader => reader.Delayed(ids, cancellationToken), cancellationToken);

    /// <summary>Commits what is posted and closes the file. Further writes are completed with an error.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_committer is { } committer)
        {
            await Task.Run(committer.Dispose);
        }

        await _readers.DisposeAsync();
        _opened?.Dispose();
        Metrics.Dispose();
    }

    private RecoveredState Open(CancellationToken cancellationToken)
    {
        var opened = SqliteOpened.Open(_options, _migrations, _logger, cancellationToken);
        _opened = opened;
        _committer = new GroupCommitter(opened.Target, CommitterOptions(), Metrics, _logger, _time);
        _committer.Start();
        return opened.TakeState();
    }

    private GroupCommitterOptions CommitterOptions() => new()
    {
        MaximumPendingBytes = _options.MaximumPendingBytes,
        MaximumPendingWrites = _options.MaximumPendingWrites,
        MaximumBatchWrites = _options.MaximumBatchWrites,
        MaximumBatchBytes = _options.MaximumBatchBytes,
    };
}
