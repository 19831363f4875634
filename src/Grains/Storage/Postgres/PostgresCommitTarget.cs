using System.Security.Cryptography;
using Npgsql;

namespace Broker.Grains.Storage.Postgres;

/// <summary>
/// The writer's side of a shared database. Used by the writer's thread only, except for the node number.
/// <para>
/// A commit is never ambiguous for good. Each transaction writes its own number into the silo's row of <c>broker_node</c>
/// first, so that row is the outcome. When the connection is lost between the request and the answer, <see cref="Settle"/>
/// raises the fence in that row: this waits for the lost transaction if it is still at work (it holds the row), shuts it out if
/// it has not begun (its fence is too low), and reads which number was committed last. From then on the answer cannot change.
/// In a silo that the others have shut out meanwhile (<c>broker_fence</c>) it stays in doubt until the process is replaced.
/// </para>
/// </summary>
internal sealed class PostgresCommitTarget : ICommitTarget, IDisposable
{
    // Deadlocks and the like: each round somebody else has made progress.
    private const int ConflictAttempts = 20;
    private const int LongestConflictPause = 8;

    // Each round needs another silo to take a session over, in the few milliseconds since the last.
    private const int StaleRounds = 1000;

    private const string StaleState = "BR001";
    private const string LeaseLostState = "BR002";

    private readonly PostgresConnections _connections;
    private readonly PostgresSessionTable _known;
    private readonly PostgresBatch _batch;
    private readonly PostgresBatchWriter _writer;
    private readonly TimeSpan _leaseDuration;
    private readonly Action<int> _leaseChanged;
    private readonly bool _keepsOwner;
    private NpgsqlConnection? _connection;
    private string _connectionName = "";
    private NodeLease _lease;
    private long _commit;
    private int _staleRounds;
    private volatile bool _leaseLost;

    public PostgresCommitTarget(
        PostgresConnections connections,
        PostgresSessionTable known,
        NumberBlocks messageNumbers,
        NumberBlocks sessionNumbers,
        TimeSpan leaseDuration,
        bool keepsOwner,
        Action<int> leaseChanged)
    {
        _connections = connections;
        _known = known;
        _batch = new PostgresBatch(known);
        _leaseDuration = leaseDuration;
        _leaseChanged = leaseChanged;
        _keepsOwner = keepsOwner;
        _lease = NodeLease.Take(Connect(), leaseDuration);
        NameConnection();
        _writer = new PostgresBatchWriter(known, messageNumbers, sessionNumbers, _lease.Owner);
    }

    /// <summary>The node number of this process, now.</summary>
    public NodeLease Lease => Volatile.Read(ref _lease);

    /// <summary>Somebody else has the node number: the next attempt takes another, even if it has no rows.</summary>
    public void LeaseLost() => _leaseLost = true;

    public IStoreBatch Begin()
    {
        _batch.Clear();
        return _batch;
    }

    public int Commit(bool mustTouchDisk)
    {
        var hasRows = _writer.Fill(_batch);
        if (_leaseLost)
        {
            if (_keepsOwner)
            {
                throw CountsAsDead();
            }

            TakeLease();
        }

        var rows = hasRows || mustTouchDisk ? Run() : 0;
        _writer.Committed(_batch);
        EndGroup();
        return rows;
    }

    public bool Settle()
    {
        try
        {
            var connection = Connect(endLost: true);
            if (_lease.RaiseFence(connection) is not { } settled)
            {
                if (_keepsOwner)
                {
                    // Others have its sessions, and may have delivered what was committed: a publisher that is told of a
                    // failure would publish it anew. In doubt until the process is replaced; its client then asks the others.
                    throw CountsAsDead();
                }

                // Silent for longer than the lease, and all other numbers were taken since: nobody can tell any more. Reported
                // as failed, which asks the client to repeat; MQTT allows the copy that may come of it for QoS 1 only.
                TakeLease();
                EndGroup();
                return false;
            }

            Volatile.Write(ref _lease, settled.Lease);
            var committed = settled.Committed == _commit;
            if (committed)
            {
                _writer.Committed(_batch);
            }

            EndGroup();
            return committed;
        }
        catch (Exception error)
        {
            Disconnect();
            throw PostgresFault.From(error);
        }
    }

    public bool IsPermanent(Exception error) =>
        error is PostgresFault { IsPermanent: true } or not (StoreException or OutOfMemoryException);

    public void AfterCommit()
    {
    }

    public bool RunIdleStep() => false;

    /// <summary>Gives the node number back, if the server can be reached.</summary>
    public void Dispose()
    {
        try
        {
            _lease.Return(Connect());
        }
        catch (Exception error) when (error is StoreException or NpgsqlException)
        {
            // It is free again when the lease runs out.
        }

        Disconnect();
    }

    private static StoreException CountsAsDead() => new("This process counts as dead in the database.");

    private int Run()
    {
        for (var attempt = 1; ; attempt++)
        {
            var connection = ConnectForCommit();
            try
            {
                return _writer.Run(connection, _lease, ++_commit);
            }
            catch (Exception error) when (PostgresFault.IsConflict(error) && attempt < ConflictAttempts)
            {
                Thread.Sleep(Random.Shared.Next(Math.Min(attempt, LongestConflictPause)));
            }
            catch (PostgresException error) when (error.SqlState == StaleState && ++_staleRounds < StaleRounds)
            {
                _known.Learn(error.MessageText);
                throw new StaleBatchException(error.MessageText);
            }
            catch (PostgresException error) when (error.SqlState == LeaseLostState && !_keepsOwner && ++_staleRounds < StaleRounds)
            {
                TakeLease();
                throw new StaleBatchException(error.MessageText);
            }
            catch (Exception error) when (PostgresFault.LeavesDoubt(error))
            {
                Disconnect();
                throw new CommitInDoubtException(PostgresFault.From(error).Message, error);
            }
            catch (Exception error)
            {
                // Rolled back for certain: the server said so, or it never got the end mark because this side threw while the
                // statements were written. A fresh connection next time: this one may lead to a server that became a standby.
                EndGroup();
                var fault = error is NpgsqlException ? PostgresFault.From(error) : error;
                if (fault is not PostgresFault { IsPermanent: true })
                {
                    Disconnect();
                }

                if (ReferenceEquals(fault, error))
                {
                    throw;
                }

                throw fault;
            }
        }
    }

    private NpgsqlConnection ConnectForCommit()
    {
        try
        {
            return Connect();
        }
        catch (Exception error)
        {
            EndGroup();
            throw PostgresFault.From(error);
        }
    }

    private void TakeLease()
    {
        try
        {
            Volatile.Write(ref _lease, NodeLease.Take(Connect(), _leaseDuration));
        }
        catch (Exception error) when (error is not StoreException)
        {
            Disconnect();
            throw PostgresFault.From(error);
        }

        _leaseLost = false;
        _writer.Owner = _lease.Owner;
        _leaseChanged(_lease.Number);
        NameConnection();
    }

    /// <summary>The open connection, or a new one.</summary>
    /// <param name="endLost">Ask the server to end the connection that was lost: it may not have noticed.</param>
    private NpgsqlConnection Connect(bool endLost = false)
    {
        if (_connection is { FullState: System.Data.ConnectionState.Open } open)
        {
            return open;
        }

        var lost = _connectionName;
        Disconnect();
        _connectionName = NewName();
        _connection = _connections.OpenWriter(_connectionName);
        if (endLost && lost.Length > 0)
        {
            using var end = new NpgsqlCommand(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", _connection)
            {
                Parameters = { new() { Value = lost } },
            };
            end.ExecuteNonQuery();
        }

        return _connection;
    }

    /// <summary>With the owner in it, by which the others end what this process was in the middle of when they shut it out (<c>broker_fence</c>).</summary>
    private string NewName() => $"broker-writer {_lease?.Owner ?? 0} {Convert.ToHexString(RandomNumberGenerator.GetBytes(8))}";

    /// <summary>The owner is another one now.</summary>
    private void NameConnection()
    {
        var name = NewName();
        using var command = new NpgsqlCommand("SELECT set_config('application_name', $1, false)", _connection)
        {
            Parameters = { new() { Value = name } },
        };
        try
        {
            command.ExecuteNonQuery();
            _connectionName = name;
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            // The next one has its name from the start.
            Disconnect();
        }
    }

    private void Disconnect()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private void EndGroup()
    {
        _staleRounds = 0;
        _known.EndGroup();
    }
}
