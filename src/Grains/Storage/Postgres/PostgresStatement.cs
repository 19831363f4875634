using Npgsql;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <summary>
/// A statement of the writer whose parameters are arrays: one execution for all rows of a batch. The arrays are kept from batch
/// to batch, so a steady load allocates nothing for them.
/// </summary>
internal sealed class PostgresStatement(string sql)
{
    // Arrays that one large batch has grown are given back.
    private const int KeptCapacity = 16384;

    private readonly List<Action> _clear = [];
    private readonly List<Func<NpgsqlParameter>> _parameters = [];

    /// <summary>What to put into the batch that goes to the server.</summary>
    public NpgsqlBatchCommand Command { get; private set; } = new(sql);

    /// <summary>Set when a row is added.</summary>
    public bool IsUsed { get; set; }

    /// <summary>Adds the next array parameter.</summary>
    public List<T> Array<T>(NpgsqlDbType element)
    {
        var list = new List<T>();
        Add(() => new NpgsqlParameter<List<T>> { TypedValue = list, NpgsqlDbType = NpgsqlDbType.Array | element });
        _clear.Add(() =>
        {
            list.Clear();
            if (list.Capacity > KeptCapacity)
            {
                list.Capacity = 0;
            }
        });
        return list;
    }

    /// <summary>Adds the next parameter, a single number.</summary>
    public Cell<T> Value<T>(NpgsqlDbType type)
        where T : struct
    {
        var cell = new Cell<T>();
        Add(() => cell.Parameter = new NpgsqlParameter<T> { TypedValue = cell.Value, NpgsqlDbType = type });
        return cell;
    }

    /// <summary>
    /// Forgets what Npgsql remembers after an execution that failed: a command, the name of its preparation on a connection that
    /// is gone; a parameter, the size of a value that was not sent, which it would take for the size of the next one.
    /// </summary>
    public void Renew()
    {
        Command = new NpgsqlBatchCommand(sql);
        _parameters.ForEach(create => Command.Parameters.Add(create()));
    }

    public void Clear()
    {
        if (IsUsed)
        {
            IsUsed = false;
            _clear.ForEach(clear => clear());
        }
    }

    private void Add(Func<NpgsqlParameter> create)
    {
        _parameters.Add(create);
        Command.Parameters.Add(create());
    }

    /// <summary>The value of a parameter that is no array.</summary>
    internal sealed class Cell<T>
        where T : struct
    {
        private T _value;

        /// <summary>The parameter that has the value now.</summary>
        public NpgsqlParameter<T>? Parameter { get; set; }

        public T Value
        {
            get => _value;
            set
            {
                _value = value;
                Parameter!.TypedValue = value;
            }
        }
    }
}
