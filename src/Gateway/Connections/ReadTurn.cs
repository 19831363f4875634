namespace Broker.Gateway.Connections;

/// <summary>
/// Keeps a client that always has more to say from keeping a thread. Completions run inline on the socket threads, of which
/// there is one for each core: a connection whose next bytes are always there would never give its thread back, and whoever
/// shares it would not be served.
/// </summary>
internal static class ReadTurn
{
    // Reads of one connection in a row on one thread. A hop to the pool costs some microseconds, a full read some hundred.
    private const int Length = 16;

    [ThreadStatic]
    private static uint _connection;

    [ThreadStatic]
    private static int _reads;

    /// <summary>Whether the connection has had its turn on this thread and should let others go first.</summary>
    /// <param name="connection">Its number.</param>
    public static bool IsOver(uint connection)
    {
        if (_connection != connection)
        {
            _connection = connection;
            _reads = 0;
            return false;
        }

        if (++_reads < Length)
        {
            return false;
        }

        _reads = 0;
        return true;
    }
}
