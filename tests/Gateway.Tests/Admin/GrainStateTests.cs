using System.Net.Http.Json;
using System.Text.Json;
using Broker.Gateway.Listeners;
using Broker.Gateway.Tests.Hooks;
using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Broker.Protocol;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Admin;

/// <summary>Looking at Session and Topic grains says what is there and changes nothing.</summary>
public sealed class GrainStateTests : IAsyncLifetime
{
    private InProcessBroker _broker = null!;
    private ScriptedClient _here = null!;

    private IGrainFactory Grains => _broker.Services.GetRequiredService<IGrainFactory>();

    /// <summary>One client that is here and owes an acknowledgement, and one that is away.</summary>
    public async Task InitializeAsync()
    {
        _broker = await InProcessBroker.StartAsync(static _ => { }, static options =>
        {
            options.Dashboard.Enabled = true;
            options.Store.AckGrace = TimeSpan.Zero;
        });
        _here = await ScriptedClient.ConnectAsync(_broker.Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "here", 600));
        await _here.SubscribeAsync("state/#", 2);
        await using (var away = await ScriptedClient.ConnectAsync(_broker.Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "away", 700)))
        {
            await away.SubscribeAsync("state/#", 1);
            await away.DisconnectAsync();
        }

        await using var publisher = await ScriptedClient.ConnectAsync(_broker.Mqtt);
        await publisher.PublishAsync("state/1", "one", 1);
        await publisher.PublishAsync("state/2", "two", 2);
        await _here.ExpectPublishesAsync(2);
    }

    public async Task DisposeAsync()
    {
        await _here.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task State_of_a_session_says_what_is_there_and_leaves_every_row_as_it_was()
    {
        var before = await RowsAsync();

        var here = await SessionAsync("here");
        var away = await SessionAsync("away");
        var nobody = await SessionAsync("nobody");

        Assert.Equal(("here", true, true, true, 600u), (here.ClientId, here.Exists, here.IsConnected, here.IsDurable, here.ExpiryInterval));
        Assert.Equal((0, 2, 2), (here.Queued, here.Inflight, here.InflightMessages.Count));
        Assert.Contains("state/#", Assert.Single(here.Subscriptions), StringComparison.Ordinal);
        Assert.Equal(("away", true, false, true, 700u), (away.ClientId, away.Exists, away.IsConnected, away.IsDurable, away.ExpiryInterval));
        Assert.Equal((2, 0), (away.Queued, away.Inflight));
        Assert.Equal(("nobody", false, false), (nobody.ClientId, nobody.Exists, nobody.IsConnected));
        Assert.Equal(before, await RowsAsync());
    }

    [Fact]
    public async Task State_of_a_topic_says_who_is_interested_and_leaves_every_row_as_it_was()
    {
        var before = await RowsAsync();

        var known = await Grains.GetGrain<ITopicGrain>(GrainKeys.Topic("state/#")).GetState();
        var unknown = await Grains.GetGrain<ITopicGrain>(GrainKeys.Topic("nothing/+")).GetState();

        Assert.Equal(("state/#", 1), (known.Filter, known.Dormant));
        var silo = Assert.Single(known.Silos);
        Assert.Equal((true, 1, 1), (silo.IsKnown, silo.Connected, silo.Dormant));
        Assert.Equal(("nothing/+", 0, 0), (unknown.Filter, unknown.Dormant, unknown.Silos.Count));
        Assert.Equal(before, await RowsAsync());
    }

    [Theory]
    [InlineData("s:here", typeof(SessionGrain), "ClientId", "here")]
    [InlineData("s:nobody", typeof(SessionGrain), "ClientId", "nobody")]
    [InlineData("t:state/#", typeof(TopicGrain), "Filter", "state/#")]
    public async Task Dashboard_is_served_and_shows_the_state_of_a_grain(string key, Type grain, string member, string expected)
    {
        var before = await RowsAsync();
        using var http = new HttpClient { BaseAddress = new Uri(_broker.Services.GetRequiredService<OpenListeners>().Http) };

        var page = await http.GetStringAsync(new Uri("/dashboard", UriKind.Relative));
        var answer = await http.GetFromJsonAsync<string>(
            new Uri($"/dashboard/GrainState?grainId={Uri.EscapeDataString(key)}&grainType={grain.FullName}", UriKind.Relative));

        Assert.Contains("<html", page, StringComparison.OrdinalIgnoreCase);
        using var state = JsonDocument.Parse(answer!);
        Assert.Equal(expected, state.RootElement.GetProperty(nameof(ISessionGrain.GetState)).GetProperty(member).GetString());
        Assert.Equal(before, await RowsAsync());
    }

    private Task<SessionSnapshot> SessionAsync(string clientId) =>
        Grains.GetGrain<ISessionGrain>(GrainKeys.Session(clientId)).GetState();

    /// <summary>All rows of all tables, when everything that was posted until now is committed.</summary>
    private async Task<List<string>> RowsAsync()
    {
        var store = _broker.Services.GetRequiredService<IMessageStore>();
        var barrier = new NoRows();
        store.Post(barrier);
        await barrier.Committed;
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = store.Description["sqlite ".Length..], Mode = SqliteOpenMode.ReadOnly, Pooling = false,
        }.ToString());
        await connection.OpenAsync();
        var rows = new List<string>();
        foreach (var table in Read(connection, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"))
        {
            rows.AddRange(Read(connection, $"SELECT * FROM \"{table}\"").Order(StringComparer.Ordinal).Select(row => $"{table}: {row}"));
        }

        return rows;
    }

    private static List<string> Read(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(
                column => reader.GetValue(column) is byte[] bytes ? Convert.ToHexString(bytes) : $"{reader.GetValue(column)}")));
        }

        return rows;
    }

    private sealed class NoRows : AwaitableWrite
    {
        public override void AddTo(IStoreBatch batch)
        {
        }
    }
}
