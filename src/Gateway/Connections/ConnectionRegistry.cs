using System.Collections.Concurrent;

namespace Broker.Gateway.Connections;

/// <summary>The open connections of this silo.</summary>
internal sealed class ConnectionRegistry
{
    private readonly ConcurrentDictionary<ClientConnection, byte> _open = new();
    private int _count;
    private int _highest;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Most connections at a time since the start.</summary>
    public int Highest => Volatile.Read(ref _highest);

    public IEnumerable<ClientConnection> All => _open.Select(static entry => entry.Key);

    public void Add(ClientConnection connection)
    {
        if (!_open.TryAdd(connection, 0))
        {
            return;
        }

        var count = Interlocked.Increment(ref _count);
        var highest = Volatile.Read(ref _highest);
        while (count > highest)
        {
            highest = Interlocked.CompareExchange(ref _highest, count, highest);
        }
    }

    public void Remove(ClientConnection connection)
    {
        if (_open.TryRemove(connection, out _))
        {
            Interlocked.Decrement(ref _count);
        }
    }
}
