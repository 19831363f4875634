using Broker.Grains.Messages;
using Broker.Grains.Storage;

namespace Broker.Grains.Tests.SessionModel;

/// <summary>A store whose commits the test decides on. What is committed is in the rows, which outlive this object; the rest is gone with it.</summary>
internal sealed class MemoryStore : IMessageStore
{
    private readonly MemoryRows _rows;
    // Groups of shared subscriptions also post from threads of the pool.
    private readonly Lock _gate = new();
    private List<StoreWrite> _posted = [];
    private long _message;
    private long _session;

    public MemoryStore(MemoryRows rows)
    {
        _rows = rows;
        _message = rows.LastMessage;
        _session = rows.Sessions.Count == 0 ? 0 : rows.Sessions.Keys.Max();
    }

    public string Description => "memory";

    public ushort NodeNumber { get; init; } = 1;

    public bool IsAvailable { get; set; } = true;

    public bool IsCongested => false;

    /// <summary>Messages cannot be read back.</summary>
    public bool FailsReads { get; set; }

    public int Pending => _posted.Count;

    public ValueTask WaitUntilDrainedAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public Task<RecoveredState> OpenAsync(CancellationToken cancellationToken) => Task.FromResult(_rows.Recover());

    /// <summary>What happens while a write is posted, on the thread that posts it.</summary>
    public Action<StoreWrite>? Posting { get; set; }

    public void Post(StoreWrite write)
    {
        Posting?.Invoke(write);
        lock (_gate)
        {
            _posted.Add(write);
        }
    }

    public long NextMessageNumber() => Interlocked.Increment(ref _message);

    public long NextSessionNumber() => Interlocked.Increment(ref _session);

    public Task<SessionRow?> LoadSessionAsync(string clientId, CancellationToken cancellationToken) =>
        Task.FromResult(_rows.Sessions.Values.FirstOrDefault(s => s.ClientId == clientId));

    public Task<List<DeliveryRow>> LoadDeliveriesAsync(long session, CancellationToken cancellationToken) =>
        Read(() => _rows.Deliveries.Values.Where(d => d.Session == session).OrderBy(d => d.Sequence).ToList());

    public Task<List<InboundRow>> LoadInboundIdsAsync(long session, CancellationToken cancellationToken) =>
        Read(() => _rows.Inbound.Where(i => i.Key.Session == session).Select(i => new InboundRow(i.Key.PacketId, i.Value)).ToList());

    public Task<Dictionary<long, ApplicationMessage>> LoadMessagesAsync(
        IReadOnlyList<long> numbers, CancellationToken cancellationToken) =>
        FailsReads
            ? Task.FromException<Dictionary<long, ApplicationMessage>>(new StoreException("not readable"))
            : Task.FromResult(Messages(numbers));

    public Task<Dictionary<long, (MessageId Id, byte[] Topic)>> LoadTopicsAsync(
        IReadOnlyList<long> numbers, CancellationToken cancellationToken) =>
        FailsReads
            ? Task.FromException<Dictionary<long, (MessageId Id, byte[] Topic)>>(new StoreException("not readable"))
            : Task.FromResult(Messages(numbers).ToDictionary(static m => m.Key, static m => (m.Value.Id, m.Value.Topic.ToArray())));

    public Task<List<(string ClientId, bool IsReleased, long Sequence)>> FindDeliveriesAsync(MessageId id, CancellationToken cancellationToken) =>
        Read(() => _rows.Deliveries.Values.Where(d => _rows.Messages[d.Message].Message.Id == id)
            .Select(d => (_rows.Sessions[d.Session].ClientId, d.Released, d.Sequence)).ToList());

    public Task<List<ItemRow>> LoadItemsAsync(string kind, CancellationToken cancellationToken) =>
        Read(() => _rows.Items.Values.Where(item => item.Kind == kind).OrderBy(item => item.Key, StringComparer.Ordinal).ToList());

    public Task<ItemRow?> LoadItemAsync(string kind, string key, CancellationToken cancellationToken) =>
        Read(() => _rows.Items.GetValueOrDefault((kind, key)));

    public Task<List<(byte[] Topic, int Count)>> CountTopicsAsync(long session, CancellationToken cancellationToken) =>
        Read(() => _rows.Deliveries.Values.Where(d => d.Session == session)
            .GroupBy(d => Convert.ToHexString(_rows.Messages[d.Message].Message.Topic))
            .Select(g => (Convert.FromHexString(g.Key), g.Count())).ToList());

    public Task<DelayedSummary> SummarizeDelayedAsync(CancellationToken cancellationToken) =>
        Read(() => new DelayedSummary(_rows.Delayed.Count, _rows.Delayed.Values.Sum(static row => (long)row.Message.Size)));

    public Task<List<DelayedKey>> FindDelayedAsync(long after, long until, int limit, CancellationToken cancellationToken) =>
        Read(() => _rows.Delayed.Values.Where(row => row.Due > after && row.Due <= until)
            .OrderBy(static row => row.Due).ThenBy(static row => row.Message.Id).Take(limit)
            .Select(static row => new DelayedKey(row.Message.Id, row.Due, row.Message.Publisher, row.Message.Size, row.PublishedAs)).ToList());

    public Task<Dictionary<MessageId, DelayedRow>> LoadDelayedAsync(IReadOnlyCollection<MessageId> ids, CancellationToken cancellationToken) =>
        Read(() => _rows.Delayed.Where(row => ids.Contains(row.Key)).ToDictionary(static row => row.Key, static row => row.Value));

    /// <summary>Commits what is posted in one transaction.</summary>
    /// <param name="meanwhile">What happens between the transaction and its answer.</param>
    /// <param name="count">Writes that it takes, the oldest; everything by default.</param>
    public void Commit(Action? meanwhile = null, int count = int.MaxValue)
    {
        List<StoreWrite> taken;
        lock (_gate)
        {
            taken = [.. _posted.Take(count)];
            _posted = [.. _posted.Skip(count)];
        }

        List<(StoreWrite Write, Exception? Error)> outcomes;
        lock (_rows)
        {
            outcomes = taken.ConvertAll(write => (Write: write, Error: (Exception?)Add(write)));
            _rows.Check();
        }

        meanwhile?.Invoke();
        foreach (var (write, error) in outcomes)
        {
            write.Complete(error);
        }
    }

    /// <summary>The next commit fails: refusable writes are refused, the others stay.</summary>
    /// <param name="count">Writes that it had taken; the rest was posted meanwhile.</param>
    public void Fail(int count = int.MaxValue)
    {
        List<StoreWrite> refused;
        lock (_gate)
        {
            refused = _posted.Take(count).Where(static w => !w.MustSucceed).ToList();
            _posted = _posted.Except(refused).ToList();
        }

        foreach (var write in refused)
        {
            write.Complete(new StoreException("no room"));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Dictionary<long, ApplicationMessage> Messages(IReadOnlyList<long> numbers)
    {
        // Sessions ask for bodies with their lock held, which a commit may want: no lock here.
        var found = new Dictionary<long, ApplicationMessage>();
        foreach (var number in numbers)
        {
            if (_rows.Messages.TryGetValue(number, out var stored))
            {
                found[number] = stored.Message;
            }
        }

        return found;
    }

    /// <summary>What a session asks for without its lock.</summary>
    private Task<T> Read<T>(Func<T> read)
    {
        lock (_rows)
        {
            return Task.FromResult(read());
        }
    }

    /// <summary>A write that is fenced is refused alone; it throws before it has added anything.</summary>
    private SessionFencedException? Add(StoreWrite write)
    {
        try
        {
            write.AddTo(_rows);
            return null;
        }
        catch (SessionFencedException error)
        {
            return error;
        }
    }
}
