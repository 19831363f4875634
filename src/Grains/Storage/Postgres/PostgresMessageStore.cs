using Broker.Grains.Messages;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Broker.Grains.Storage.Postgres;

/// <summary>
/// The store of a cluster: one PostgreSQL database that several silos write, each with one writer and group commit. What the
/// silos must agree on is compared in each transaction (<c>broker_begin</c> in <c>deploy/sql</c>), numbers come from sequences
/// in blocks, and a node number is lent to each process.
/// </summary>
public sealed class PostgresMessageStore : IMessageStore
{
    // Renewals may fail twice before the lease runs out.
    private const int RenewalsPerLease = 3;

    private readonly PostgresStoreOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly PostgresConnections _connections;
    private readonly PostgresSessionTable _known;
    private readonly PostgresReader _reader;
    private readonly NumberBlocks _messageNumbers;
    private readonly NumberBlocks _sessionNumbers;
    private readonly CancellationTokenSource _closing = new();
    private PostgresCommitTarget? _target;
    private GroupCommitter? _committer;
    private Task _renewal = Task.CompletedTask;
    private bool _disposed;

    public PostgresMessageStore(
        PostgresStoreOptions options,
        ILogger<PostgresMessageStore> logger,
        StoreMetrics? metrics = null,
        TimeProvider? time = null)
    {
        _options = options;
        _logger = logger;
        _time = time ?? TimeProvider.System;
        Metrics = metrics ?? new StoreMetrics();
        _connections = new PostgresConnections(options);
        _known = new PostgresSessionTable(options.MaximumKnownSessions);
        _reader = new PostgresReader(_connections.Readers, _known, options.Readers);
        _messageNumbers = Numbers("broker_message_number");
        _sessionNumbers = Numbers("broker_session_number");
    }

    /// <summary>Counters of this store.</summary>
    public StoreMetrics Metrics { get; }

    /// <inheritdoc />
    public string Description => _connections.Description;

    /// <inheritdoc />
    public bool IsAvailable => _committer is { IsAvailable: true };

    /// <inheritdoc />
    public bool IsCongested => _committer is { IsCongested: true };

    /// <summary>
    /// Node number of this process in message ids, 1 to 65,535: no other living silo has it. It changes if the database was out
    /// of reach for so long that the number was given to another.
    /// </summary>
    public ushort NodeNumber => (ushort)Opened.Lease.Number;

    /// <summary>Number of this process as the owner of sessions; never given twice.</summary>
    public long Owner => Opened.Lease.Owner;

    private PostgresCommitTarget Opened => _target ?? throw new InvalidOperationException("The store has not been opened.");

    /// <inheritdoc />
    public ValueTask WaitUntilDrainedAsync(CancellationToken cancellationToken) =>
        _committer?.WaitUntilDrainedAsync(cancellationToken) ?? ValueTask.CompletedTask;

    /// <inheritdoc />
    public async Task<RecoveredState> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            var state = _options.IsShared
                ? RecoveredState.Empty
                : await PostgresRecovery.LoadAsync(_connections.Readers, _known, null, cancellationToken);
            await Task.Run(Start, cancellationToken);
            if (!_options.IsShared)
            {
                // Whatever an earlier process had to publish.
                await _reader.OwnDelayedAsync(Owner, cancellationToken);
            }

            return state;
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            throw new StoreOpenException(
                PostgresFault.OpenFailure(error),
                $"The store {Description} cannot be opened ({PostgresFault.From(error).Message}): check that PostgreSQL runs "
                    + "and lets this user in, the connection string, and that the schema of deploy/sql is there.",
                error);
        }
    }

    /// <summary>Sessions with everything but their deliveries; with them their Wills, and no retained messages.</summary>
    public async Task<RecoveredState> LoadSessionsAsync(long[] sessions, CancellationToken cancellationToken)
    {
        try
        {
            return await PostgresRecovery.LoadAsync(_connections.Readers, _known, sessions, cancellationToken);
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            throw PostgresFault.From(error);
        }
    }

    /// <inheritdoc />
    public void Post(StoreWrite write)
    {
        var committer = _committer ?? throw new InvalidOperationException("The store has not been opened.");
        committer.Post(write);
    }

    /// <inheritdoc />
    public long NextMessageNumber() => _messageNumbers.Next();

    /// <inheritdoc />
    public long NextSessionNumber() => _sessionNumbers.Next();

    /// <inheritdoc />
    public Task<SessionRow?> LoadSessionAsync(string clientId, CancellationToken cancellationToken) =>
        _reader.SessionAsync(clientId, cancellationToken);

    /// <inheritdoc />
    public Task<List<DeliveryRow>> LoadDeliveriesAsync(long session, CancellationToken cancellationToken) =>
        _reader.DeliveriesAsync(session, cancellationToken);

    /// <inheritdoc />
    public Task<List<InboundRow>> LoadInboundIdsAsync(long session, CancellationToken cancellationToken) =>
        _reader.InboundIdsAsync(session, cancellationToken);

    /// <inheritdoc />
    public Task<Dictionary<long, ApplicationMessage>> LoadMessagesAsync(
        IReadOnlyList<long> numbers, CancellationToken cancellationToken) =>
        _reader.MessagesAsync(numbers, cancellationToken);

    /// <inheritdoc />
    public Task<Dictionary<long, (MessageId Id, byte[] Topic)>> LoadTopicsAsync(IReadOnlyList<long> numbers, CancellationToken cancellationToken) =>
        _reader.TopicsAsync(numbers, cancellationToken);

    /// <inheritdoc />
    public Task<List<(byte[] Topic, int Count)>> CountTopicsAsync(long session, CancellationToken cancellationToken) =>
        _reader.TopicCountsAsync(session, cancellationToken);

    /// <inheritdoc />
    public Task<List<ItemRow>> LoadItemsAsync(string kind, CancellationToken cancellationToken) => _reader.ItemsAsync(kind, cancellationToken);

    /// <inheritdoc />
    public Task<ItemRow?> LoadItemAsync(string kind, string key, CancellationToken cancellationToken) =>
        _reader.ItemAsync(kind, key, cancellationToken);

    /// <inheritdoc />
    public Task<List<(string ClientId, bool IsReleased, long Sequence)>> FindDeliveriesAsync(MessageId id, CancellationToken cancellationToken) =>
        _reader.DeliveriesOfAsync(id, cancellationToken);

    /// <inheritdoc />
    public Task<DelayedSummary> SummarizeDelayedAsync(CancellationToken cancellationToken) =>
        _reader.DelayedSummaryAsync(Owner, cancellationToken);

    /// <inheritdoc />
    public Task<List<DelayedKey>> FindDelayedAsync(long after, long until, int limit, CancellationToken cancellationToken) =>
        _reader.DelayedKeysAsync(Owner, after, until, limit, cancellationToken);

    /// <inheritdoc />
    public Task<Dictionary<MessageId, DelayedRow>> LoadDelayedAsync(IReadOnlyCollection<MessageId> ids, CancellationToken cancellationToken) =>
        _reader.DelayedAsync(ids, cancellationToken);

    /// <summary>Commits what is posted and gives the node number back. Further writes are completed with an error.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _closing.CancelAsync();
        await Task.Run(() =>
        {
            if (_committer is null || _committer.Close())
            {
                _target?.Dispose();
            }
        });

        // A renewal that gets no answer ends with its own time limit, and touches nothing that is disposed of here but fails.
        await Task.WhenAny(_renewal, Task.Delay(_options.CommandTimeout, CancellationToken.None));
        await _connections.DisposeAsync();
        _reader.Dispose();
        Metrics.Dispose();
        _closing.Dispose();
    }

    private void Start()
    {
        _messageNumbers.Open();
        _sessionNumbers.Open();
        _target = new PostgresCommitTarget(
            _connections, _known, _messageNumbers, _sessionNumbers, _options.NodeLease, keepsOwner: _options.IsShared,
            number => _logger.NodeChanged(number));
        _committer = new GroupCommitter(
            _target,
            new GroupCommitterOptions
            {
                MaximumPendingBytes = _options.MaximumPendingBytes,
                MaximumPendingWrites = _options.MaximumPendingWrites,
                MaximumBatchWrites = _options.MaximumBatchWrites,
                MaximumBatchBytes = _options.MaximumBatchBytes,
                AnswerTime = _options.CommandTimeout,
                OutagePatience = _options.OutagePatience,
                RecoveryPause = _options.RecoveryPause,
                CloseTime = _options.CommandTimeout,
            },
            Metrics,
            _logger,
            _time);
        _committer.Start();
        _renewal = Task.Run(RenewAsync);
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(_options.NodeLease / RenewalsPerLease, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                try
                {
                    if (!await Opened.Lease.RenewAsync(_connections.Readers, _options.NodeLease))
                    {
                        Opened.LeaseLost();
                        Post(new NoRows());
                    }
                }
                catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
                {
                    _logger.HousekeepingFailed(PostgresFault.From(error).Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The store is being closed.
        }
    }

    private NumberBlocks Numbers(string sequence) => new(() => FetchBlock(sequence), _options.CommandTimeout);

    private (long First, long Count) FetchBlock(string sequence)
    {
        try
        {
            using var connection = _connections.Readers.OpenConnection();
            using var command = new NpgsqlCommand(
                "SELECT nextval($1::regclass), seqincrement FROM pg_sequence WHERE seqrelid = $1::regclass", connection)
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = sequence } },
            };
            using var reader = command.ExecuteReader();
            reader.Read();
            return (reader.GetInt64(0), reader.GetInt64(1));
        }
        catch (Exception error) when (_committer is not null && error is NpgsqlException or IOException or TimeoutException)
        {
            throw PostgresFault.From(error);
        }
    }

    /// <summary>Wakes the writer.</summary>
    private sealed class NoRows : StoreWrite
    {
        public override void AddTo(IStoreBatch batch)
        {
        }
    }
}
