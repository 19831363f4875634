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

    /// <summary>What to put into the batch that goes to the server.</summary>
    public NpgsqlBatchCommand Command { get; } = new(sql);

    /// <summary>Set when a row is added.</summary>
    public bool IsUsed { get; set; }

    /// <summary>Adds the next array parameter.</summary>
    public List<T> Array<T>(NpgsqlDbType element)
    {
        var list = new List<T>();
        Command.Parameters.Add(new NpgsqlParameter<List<T>> { TypedValue = list, NpgsqlDbType = NpgsqlDbType.Array | element });
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
    public NpgsqlParameter<T> Value<T>(NpgsqlDbType type)
    {
        var parameter = new NpgsqlParameter<T> { NpgsqlDbType = type };
        Command.Parameters.Add(parameter);
        return parameter;
    }

    public void Clear()
    {
        if (IsUsed)
        {
            IsUsed = false;
            _clear.ForEach(clear => clear());
        }
    }
}
