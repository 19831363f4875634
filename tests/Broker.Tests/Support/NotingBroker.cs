using Microsoft.Data.Sqlite;

namespace Broker.Tests.Support;

/// <summary>A broker in whose file a trigger notes every row of a delivery that is ever written, also one that is deleted a moment later.</summary>
public sealed class NotingBroker : IAsyncLifetime
{
    private string _file = "";

    public BrokerServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (SharedBroker.External is not null)
        {
            return;
        }

        // 2 s: what is tested is that an acknowledgement in time spares the row, not how fast this machine is.
        Server = await BrokerServer.StartAsync(("Store:AckGrace", "2s"), ("Session:MaxQueued", "0"));
        _file = Path.Combine(Server.DataDirectory, "broker.db");
        Execute("""
            CREATE TABLE noted (client_id TEXT NOT NULL);
            CREATE TRIGGER note_delivery AFTER INSERT ON delivery BEGIN
                INSERT INTO noted SELECT client_id FROM session WHERE number = new.session;
            END
            """);
    }

    /// <summary>Deliveries to a client that have been written and committed until now.</summary>
    public long Deliveries(string clientId) => (long)Execute("SELECT count(*) FROM noted WHERE client_id = $client", clientId)!;

    public async Task DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }
    }

    private object? Execute(string sql, string client = "")
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _file, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$client", client);
        return command.ExecuteScalar();
    }
}
