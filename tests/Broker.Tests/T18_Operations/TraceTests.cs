using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Broker.Tests.T18_Operations;

/// <summary>An administrator has one client, some topics or an address written to a file, and reads it.</summary>
public sealed class TraceTests() : OwnBrokerTest(("Trace:MaxCount", "2"), ("Trace:MaxFileSize", "16KiB"))
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private static readonly HttpClient Client = new();

    private Uri Http => ((BrokerProcess)Server).Http;

    [OwnFact]
    public async Task Client_is_traced_from_its_connect_to_its_end_in_order_and_nobody_else()
    {
        await StartAsync("""{ "name": "t-1", "client": "meter", "payloadBytes": 3 }""");
        var client = await ConnectAsync(new ConnectOptions(ProtocolVersion.Mqtt5)
        {
            ClientId = "meter", UserName = "ann", Password = Encoding.UTF8.GetBytes("secret-word"), AcknowledgesByItself = true,
        });
        await client.SubscribeAsync("m/+", 2);
        for (var qos = 0; qos <= 2; qos++)
        {
            await client.PublishAsync($"m/{qos}", "hello", qos);
            await client.ExpectPublishAsync($"m/{qos}", "hello");
        }

        await EndingAsync("t-1", "in PUBCOMP", "out PUBCOMP");
        await client.PingAsync();
        var other = await SubscriberAsync(ProtocolVersion.Mqtt5, "else");
        await other.PublishAsync("else", "x", 1);
        await client.UnsubscribeAsync("m/+");
        await client.DisconnectAsync();

        var lines = await EndingAsync("t-1", "CLOSED");
        Assert.Equal("""# trace of client "meter",""", lines[0][..26]);
        AssertInOrder(
            lines,
            """in CONNECT version=5\.0 client="meter" clean=1 keep_alive=\d+ .*user="ann" password=given$""",
            @"out CONNACK reason=0x00 Success session_present=0",
            @"in SUBSCRIBE packet=(\d+) ""m/\+"" qos=2$",
            @"out SUBACK packet=\d+ 0x02$",
            @"in PUBLISH topic=""m/0"" qos=0 retain=0 dup=0 payload=5 ""hel""…$",
            @"-- ACCEPTED PUBLISH topic=""m/0"" qos=0",
            @"out PUBLISH topic=""m/0"" qos=0 retain=0 dup=0 payload=5 ""hel""…$",
            @"in PUBLISH topic=""m/1"" qos=1 retain=0 dup=0 packet=\d+ payload=5",
            @"-- ACCEPTED PUBLISH topic=""m/1"" qos=1 retain=0 dup=0 packet=\d+ message=[0-9a-f]{32} payload=5",
            @"out PUBLISH topic=""m/1"" qos=1 retain=0 dup=0 packet=\d+ message=[0-9a-f]{32} payload=5",
            @"in PUBACK packet=\d+$",
            @"in PUBLISH topic=""m/2"" qos=2",
            @"out PUBREC packet=\d+$",
            @"in PINGREQ$",
            @"out PINGRESP$",
            @"in UNSUBSCRIBE packet=\d+ ""m/\+""$",
            @"out UNSUBACK packet=\d+ 0x00$",
            @"in DISCONNECT reason=0x00",
            @"-- CLOSED, after a DISCONNECT");
        foreach (var packet in (string[])["out PUBACK", "in PUBREC", "out PUBREL", "in PUBREL", "out PUBCOMP", "in PUBCOMP"])
        {
            Assert.Contains(lines, line => Regex.IsMatch(line, $@" {packet} packet=\d+$"));
        }

        Assert.All(lines[1..], static line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ""meter"" (\S+:\d+|-) ", line));
        Assert.DoesNotContain("secret-word", string.Join('\n', lines), StringComparison.Ordinal);
    }

    [OwnFact]
    public async Task What_is_stopped_writes_no_more_and_can_still_be_read_and_removed()
    {
        await StartAsync("""{ "name": "t", "client": "meter" }""");
        var client = await ConnectAsync(new ConnectOptions(ProtocolVersion.Mqtt311) { ClientId = "meter" });
        await client.PublishAsync("a", "1", 1);
        await EndingAsync("t", "PUBACK");

        var stopped = await EndAsync(HttpMethod.Put, "t/stop");
        Assert.Equal("stopped", stopped.GetProperty("traces")[0].GetProperty("state").GetString());
        await client.PublishAsync("a", "2", 1);
        await client.DisconnectAsync();
        var lines = await EndingAsync("t", "# ended: stopped");
        Assert.Single(lines, static line => line.Contains("in PUBLISH", StringComparison.Ordinal));

        Assert.Equal(lines, await EndingAsync("t", "# ended: stopped"));
        using var admin = new AdminClient(Http);
        Assert.Equal(HttpStatusCode.OK, await admin.DeleteAsync("/api/v1/traces/t"));
        Assert.Equal(HttpStatusCode.NotFound, await admin.StatusAsync("/api/v1/traces/t"));
        Assert.Equal(HttpStatusCode.NotFound, await admin.DeleteAsync("/api/v1/traces/t"));
        Assert.Empty((await admin.GetAsync("/api/v1/traces")).GetProperty("traces").EnumerateArray());
        Assert.Empty(Directory.GetFiles(Path.Combine(Server.DataDirectory, "traces")));
    }

    [OwnFact]
    public async Task Topic_is_traced_with_all_that_publish_to_it_and_get_it_and_lose_it()
    {
        var away = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, "small") with
        {
            Properties = new() { { Prop.MaximumPacketSize, 100 }, { Prop.SessionExpiryInterval, 60 } },
        });
        await away.SubscribeAsync("plant/+/state", 1);
        var publisher = await ConnectAsync(new ConnectOptions(ProtocolVersion.Mqtt5) { ClientId = "plc" });
        await StartAsync("""{ "name": "t", "topic": "plant/#" }""");

        await publisher.PublishAsync("other/1/state", "x", 1);
        await publisher.PublishAsync("plant/1/state", "x", 1);
        await publisher.PublishAsync("plant/2/state", new string('x', 200), 1);
        using var admin = new AdminClient(Http);
        await admin.PostAsync("/api/v1/publish", """{ "topic": "plant/3/state", "qos": 1, "clientId": "script" }""");

        var lines = await EndingAsync("t", "script.*ACCEPTED", @"out PUBLISH topic=""plant/3/state""");
        AssertInOrder(
            lines,
            @"""plc"" \S+ in PUBLISH topic=""plant/1/state""",
            @"""small"" \S+ out PUBLISH topic=""plant/1/state"" .* message=[0-9a-f]{32}",
            @"""plc"" \S+ in PUBLISH topic=""plant/2/state""",
            @"""small"" - -- DROPPED topic=""plant/2/state"" reason=TooLarge count=1 message=[0-9a-f]{32}",
            @"""script"" - -- ACCEPTED PUBLISH topic=""plant/3/state""");
        Assert.DoesNotContain(lines, static line => line.Contains("other/", StringComparison.Ordinal) || line.Contains("ACK", StringComparison.Ordinal));
    }

    [OwnFact]
    public async Task Address_is_traced_also_before_anybody_knows_who_it_is_and_a_takeover_is_seen()
    {
        await StartAsync("""{ "name": "here", "address": "127.0.0.0/8" }""");
        await StartAsync("""{ "name": "elsewhere", "address": "10.0.0.0/8" }""");
        var first = await ConnectAsync(new ConnectOptions(ProtocolVersion.Mqtt5) { ClientId = "twin" });
        var second = await ConnectAsync(new ConnectOptions(ProtocolVersion.Mqtt5) { ClientId = "twin" });
        await first.ExpectAsync(PacketType.Disconnect);
        var stranger = await OpenAsync();
        await stranger.SendAsync(Packets.PingRequest());
        await stranger.ExpectCloseAsync();
        await second.DisconnectAsync();

        var lines = await EndingAsync("here", @"""twin"" \S+ -- CLOSED, by the broker: 0x8e SessionTakenOver", @"CLOSED, after", @""""" \S+ -- CLOSED");
        AssertInOrder(lines, @"in CONNECT .*client=""twin""", @"in CONNECT .*client=""twin""", @"out DISCONNECT reason=0x8e SessionTakenOver");
        Assert.Contains(lines, static line => line.Contains("REFUSED [MQTT-3.1.0-1]", StringComparison.Ordinal));
        Assert.Single(await ReadAsync("elsewhere"));
    }

    [OwnFact]
    public async Task Line_feeds_of_clients_make_no_lines()
    {
        await StartAsync("""{ "name": "t", "topic": "#", "payloadBytes": 100 }""");
        var client = await ConnectAsync(new ConnectOptions(ProtocolVersion.Mqtt5) { ClientId = "meter" });
        await client.PublishAsync("t", "1\n2026-01-01T00:00:00.000000Z \"forged\"", 1);

        var line = (await EndingAsync("t", "in PUBLISH"))[1];
        Assert.EndsWith("""payload=38 "1\n2026-01-01T00:00:00.000000Z \"forged\"" """.TrimEnd(), line, StringComparison.Ordinal);
    }

    [OwnFact]
    public async Task Trace_ends_when_its_file_is_full_or_its_time_over_and_there_are_no_more_than_configured()
    {
        await StartAsync("""{ "name": "full", "client": "meter" }""");
        await StartAsync("""{ "name": "short", "client": "nobody", "seconds": 1 }""");
        using var admin = new AdminClient(Http);
        await admin.PostAsync("/api/v1/traces", """{ "name": "third", "client": "x" }""", HttpStatusCode.Conflict);
        var client = await ConnectAsync(new ConnectOptions(ProtocolVersion.Mqtt5) { ClientId = "meter" });
        for (var i = 0; i < 100; i++)
        {
            await client.PublishAsync("a", "1", 1);
        }

        await EndingAsync("full", "# ended: the file is as large as it may be");
        await EndingAsync("short", "# ended: its time is over");
        var rows = (await admin.GetAsync("/api/v1/traces")).GetProperty("traces").EnumerateArray().ToDictionary(static row => row.GetProperty("name").GetString()!);
        Assert.Equal("the file is full", rows["full"].GetProperty("state").GetString());
        Assert.InRange(rows["full"].GetProperty("bytes").GetInt64(), 15 << 10, (16 << 10) + 100);
        Assert.Equal("its time is over", rows["short"].GetProperty("state").GetString());

        // Ended ones count until they are removed: their files are there.
        await admin.PostAsync("/api/v1/traces", """{ "name": "third", "client": "x" }""", HttpStatusCode.Conflict);
        Assert.Equal(HttpStatusCode.OK, await admin.DeleteAsync("/api/v1/traces/full"));
        await StartAsync("""{ "name": "third", "client": "x" }""");
    }

    [OwnFact]
    public async Task Trace_ends_with_the_process_and_its_file_is_left()
    {
        await StartAsync("""{ "name": "t", "client": "meter" }""");
        await EndingAsync("t", "# trace of");
        await Server.RestartAsync();

        await using var client = await ScriptedClient.ConnectAsync(Broker, new ConnectOptions(ProtocolVersion.Mqtt5) { ClientId = "meter" });
        using var admin = new AdminClient(Http);
        var row = (await admin.GetAsync("/api/v1/traces")).GetProperty("traces")[0];
        Assert.Equal("left by an earlier process", row.GetProperty("state").GetString());
        Assert.Single(await ReadAsync("t"));
        await admin.PostAsync("/api/v1/traces", """{ "name": "t", "client": "meter" }""", HttpStatusCode.Conflict);
        Assert.Equal(HttpStatusCode.OK, await admin.DeleteAsync("/api/v1/traces/t"));
        await StartAsync("""{ "name": "t", "client": "meter" }""");
    }

    [OwnFact]
    public async Task What_makes_no_sense_is_refused_with_what_is_wrong()
    {
        using var admin = new AdminClient(Http);
        foreach (var (body, expected) in new (string, string)[]
        {
            ("""{ "name": "../t", "client": "x" }""", "name"),
            ("""{ "name": "a/b", "client": "x" }""", "name"),
            ("""{ "name": "t.log", "client": "x" }""", "name"),
            ("""{ "name": "", "client": "x" }""", "name"),
            ("""{ "client": "x" }""", "name"),
            ("""{ "name": "t" }""", "one of client, topic and address"),
            ("""{ "name": "t", "client": "x", "topic": "y" }""", "one of client, topic and address"),
            ("""{ "name": "t", "topic": "a/#/b" }""", "topic"),
            ("""{ "name": "t", "address": "10.0.0.1/8" }""", "address"),
            ("""{ "name": "t", "client": "x", "seconds": 0 }""", "seconds: 1 to 86400"),
            ("""{ "name": "t", "client": "x", "seconds": 1000000 }""", "seconds: 1 to 86400"),
            ("""{ "name": "t", "client": "x", "payloadBytes": 1025 }""", "payloadBytes: 0 to 1024"),
            ("""{ "name": "t", "client": "x", "file": "y" }""", "file"),
            ("""[]""", ""),
        })
        {
            var answer = await admin.PostAsync("/api/v1/traces", body, HttpStatusCode.BadRequest);
            Assert.Contains(expected, answer.GetProperty("error").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.NotFound, await admin.StatusAsync("/api/v1/traces/..%2Fbroker.db"));
        Assert.Equal(HttpStatusCode.NotFound, await admin.DeleteAsync("/api/v1/traces/..%2Fbroker.db"));
        Assert.Empty((await admin.GetAsync("/api/v1/traces")).GetProperty("traces").EnumerateArray());
    }

    private static void AssertInOrder(List<string> lines, params string[] patterns)
    {
        var at = 0;
        foreach (var pattern in patterns)
        {
            var found = lines.FindIndex(at, line => Regex.IsMatch(line, pattern));
            Assert.True(found >= 0, $"{pattern} behind line {at} of\n{string.Join('\n', lines)}");
            at = found + 1;
        }
    }

    private async Task StartAsync(string body)
    {
        using var admin = new AdminClient(Http);
        var answer = await admin.PostAsync("/api/v1/traces", body, HttpStatusCode.Created);
        Assert.Equal("active", answer.GetProperty("traces")[0].GetProperty("state").GetString());
    }

    private async Task<JsonElement> EndAsync(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, new Uri(Http, $"/api/v1/traces/{path}"));
        using var answer = await Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    }

    /// <summary>The file once it has all of the patterns; lines come by another thread than answers.</summary>
    private async Task<List<string>> EndingAsync(string name, params string[] patterns)
    {
        List<string> lines = [];
        await Eventually.TrueAsync(
            async () =>
            {
                lines = await ReadAsync(name);
                return Array.TrueForAll(patterns, pattern => lines.Exists(line => Regex.IsMatch(line, pattern)));
            },
            Limit,
            () => $"{string.Join(" and ", patterns)} in\n{string.Join('\n', lines)}");
        return lines;
    }

    private async Task<List<string>> ReadAsync(string name) =>
        [.. (await Client.GetStringAsync(new Uri(Http, $"/api/v1/traces/{name}"))).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
}
