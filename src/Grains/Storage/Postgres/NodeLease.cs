using Npgsql;

namespace Broker.Grains.Storage.Postgres;

/// <summary>
/// A node number lent to this process, and with it the row that holds the token of its transactions. Numbers that nobody ever
/// had go first, then those that have been free for longest: after 65,535 starts the first one comes again.
/// </summary>
/// <param name="Number">1 to 65,535: unique among the living silos.</param>
/// <param name="Owner">The process, never given twice.</param>
/// <param name="Fence">Transactions with a lower one are shut out.</param>
internal sealed record NodeLease(int Number, long Owner, long Fence)
{
    // Any number that no other part of the broker uses for its advisory lock.
    private const long AdvisoryLock = 0x62726F6B_6E6F6465;

    private const int HighestNumber = ushort.MaxValue;

    /// <summary>Takes a number.</summary>
    public static NodeLease Take(NpgsqlConnection connection, TimeSpan duration)
    {
        using var transaction = connection.BeginTransaction();
        using (var wait = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection, transaction))
        {
            wait.Parameters.Add(new() { Value = AdvisoryLock });
            wait.ExecuteNonQuery();
        }

        using var command = new NpgsqlCommand(
            "SELECT nextval('broker_owner'), (SELECT coalesce(max(number), 0) FROM broker_node)", connection, transaction);
        long owner;
        int highest;
        using (var reader = command.ExecuteReader())
        {
            reader.Read();
            owner = reader.GetInt64(0);
            highest = reader.GetInt32(1);
        }

        using var take = new NpgsqlCommand(
            highest < HighestNumber
                ? """
                  INSERT INTO broker_node (number, owner, fence, committed, leased_until)
                  SELECT coalesce(max(number), 0) + 1, $1, 0, 0, now() + $2 FROM broker_node
                  RETURNING number
                  """
                : """
                  UPDATE broker_node SET owner = $1, fence = 0, committed = 0, leased_until = now() + $2
                  WHERE number = (SELECT number FROM broker_node WHERE leased_until < now() ORDER BY leased_until LIMIT 1)
                  RETURNING number
                  """,
            connection,
            transaction) { Parameters = { new() { Value = owner }, new() { Value = duration } } };
        var number = take.ExecuteScalar() as int?
            ?? throw new StoreException($"All {HighestNumber} node numbers are in use.");
        transaction.Commit();
        return new NodeLease(number, owner, 0);
    }

    /// <summary>Keeps the number for another while. False when somebody else has it.</summary>
    public async Task<bool> RenewAsync(NpgsqlDataSource source, TimeSpan duration)
    {
        await using var command = source.CreateCommand(
            "UPDATE broker_node SET leased_until = now() + $3 WHERE number = $1 AND owner = $2");
        command.Parameters.Add(new() { Value = Number });
        command.Parameters.Add(new() { Value = Owner });
        command.Parameters.Add(new() { Value = duration });
        return await command.ExecuteNonQueryAsync() == 1;
    }

    /// <summary>Gives the number back.</summary>
    public void Return(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(
            "UPDATE broker_node SET leased_until = now() WHERE number = $1 AND owner = $2", connection)
        {
            Parameters = { new() { Value = Number }, new() { Value = Owner } },
        };
        command.ExecuteNonQuery();
    }

    /// <summary>
    /// Shuts out every transaction that was begun under the fence so far, and reads the token of the last one that was
    /// committed. Waits for one that is still at work, because it holds the row. Null when the number is lost.
    /// </summary>
    public (NodeLease Lease, long Committed)? RaiseFence(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(
            "UPDATE broker_node SET fence = fence + 1 WHERE number = $1 AND owner = $2 RETURNING fence, committed", connection)
        {
            Parameters = { new() { Value = Number }, new() { Value = Owner } },
        };
        using var reader = command.ExecuteReader();
        return reader.Read() ? (this with { Fence = reader.GetInt64(0) }, reader.GetInt64(1)) : null;
    }
}
