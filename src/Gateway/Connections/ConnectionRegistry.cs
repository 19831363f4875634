using System.Collections.Concurrent;

namespace Broker.Gateway.Connections;

/// <summary>The open connections of this silo.</summary>
internal sealed class ConnectionRegistry
{
    private readonly ConcurrentDictionary<ClientConnection, byte> _open = new();

    public int Count => _open.Count;

    public IEnumerable<ClientConnection> All => _open.Select(static entry => entry.Key);

    public void Add(ClientConnection connection) => _open.TryAdd(connection, 0);

    public void Remove(ClientConnection connection) => _open.TryRemove(connection, out _);
}
