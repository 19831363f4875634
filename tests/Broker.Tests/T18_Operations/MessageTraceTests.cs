using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Broker.Tests.T18_Operations;

/// <summary>A message is followed by its id, from the publisher's packet to each subscriber's.</summary>
public sealed class MessageTraceTests() : OwnBrokerTest(("Log:Level", "Debug"), ("Session:MaxQueued", "2"))
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private Uri Http => ((BrokerProcess)Server).Http;

    [OwnFact]
    public async Task Message_is_found_in_flight_then_received_then_acknowledged()
    {
        var subscriber = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, "reader"));
        await subscriber.SubscribeAsync("t", 2);
        var publisher = await ConnectAsync();
        await publisher.SendPublishAsync("t", "x", 2, id: 41);
        var message = await subscriber.ExpectPublishAsync("t", "x");
        var id = await LoggedIdAsync(@"PUBLISH 41 to 't' is message ([0-9a-f]{32})");
        Assert.Equal(id, await LoggedIdAsync($@"Client reader: message ([0-9a-f]{{32}}) sent as PUBLISH {message.PacketId} to 't'"));

        await ExpectAsync(id, "reader in flight", message.PacketId);

        await subscriber.AckAsync(PacketType.PubRec, message.PacketId);
        await subscriber.ExpectAsync(PacketType.PubRel, message.PacketId);
        await ExpectAsync(id, "reader acknowledged", message.PacketId);
    }

    [OwnFact]
    public async Task Message_is_found_queued_then_stored_then_dropped_because()
    {
        var subscriber = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, "away"));
        await subscriber.SubscribeAsync("t", 1);
        await subscriber.DisconnectAsync();
        var publisher = await ConnectAsync();
        await publisher.PublishAsync("t", "first", 1);
        var id = await LoggedIdAsync(@"to 't' is message ([0-9a-f]{32})");
        await ExpectAsync(id, "away queued", null);

        await Server.RestartAsync();
        await ExpectAsync(id, "away stored", null);
        await using var another = await ScriptedClient.ConnectAsync(Broker);
        for (var i = 0; i < 5; i++)
        {
            await another.PublishAsync("t", $"{i}", 1);
        }

        var newer = await LoggedIdAsync(@"to 't' is message ([0-9a-f]{32})");
        await ExpectAsync(newer, "away dropped QueueFull", null);
    }

    [OwnFact]
    public async Task What_is_no_message_id_is_refused_and_an_unknown_one_is_nowhere()
    {
        using var admin = new AdminClient(Http);
        Assert.Equal(HttpStatusCode.BadRequest, await admin.StatusAsync("/api/v1/messages/xyz"));
        Assert.Empty((await admin.GetAsync("/api/v1/messages/00000000000000000000000000000001")).GetProperty("places").EnumerateArray());
    }

    private async Task<string> LoggedIdAsync(string pattern)
    {
        Match? match = null;
        await Eventually.TrueAsync(
            () => (match = Regex.Match(Server.Output.Text, pattern)).Success, Limit, () => $"{pattern} in the log\n{Server.Output.Text}");
        return match!.Groups[1].Value;
    }

    private async Task ExpectAsync(string id, string expected, int? packetId)
    {
        var found = "";
        await Eventually.TrueAsync(
            async () =>
            {
                using var admin = new AdminClient(Http);
                var places = (await admin.GetAsync($"/api/v1/messages/{id}")).GetProperty("places").EnumerateArray().ToList();
                found = string.Join(", ", places.Select(static place => place.GetRawText()));
                return places.Exists(place => Text(place) == expected
                    && (packetId is null || (place.TryGetProperty("packetId", out var given) && given.GetInt32() == packetId)));
            },
            Limit,
            () => $"{expected}; it is: {found}");
    }

    private static string Text(JsonElement place) =>
        $"{place.GetProperty("client").GetString()} {place.GetProperty("state").GetString()}"
        + (place.TryGetProperty("reason", out var reason) ? $" {reason.GetString()}" : "");
}
