namespace Broker.Tests.T10_Shared;

/// <summary>Groups over kill -9.</summary>
public sealed class SharedSurvivalTests() : OwnBrokerTest
{
    private string Filter => $"$share/g/{Topic()}";

    [OwnTheory, BothVersions]
    public async Task What_waits_for_a_group_survives(ProtocolVersion version)
    {
        await AwayMemberAsync(version, "a");
        await AwayMemberAsync(version, "b");
        await PublishAsync(1, "1", "2", "3");

        await Server.RestartAsync();

        // More come before anybody is back: the group's session is in the store only.
        await PublishAsync(1, "4");
        var back = await ConnectAsync(ConnectOptions.Durable(version, Id("b")));
        Assert.True(back.ConnAck.SessionPresent);
        Assert.Equal(["1", "2", "3", "4"], (await back.ExpectPublishesAsync(4)).Select(static p => p.Text));
    }

    [OwnFact]
    public async Task What_is_lent_to_a_clean_member_survives_for_a_durable_one()
    {
        await AwayMemberAsync(ProtocolVersion.Mqtt5, "a");
        var clean = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 1);
        await PublishAsync(1, "1", "2");
        var got = await clean.ExpectPublishesAsync(2);
        await clean.AckAsync(PacketType.PubAck, got[0].PacketId);
        await clean.PingAsync();

        // Committed after the acknowledgement, so the deletion of the first row is as well.
        await PublishAsync(1, "3");

        await Server.RestartAsync();

        var back = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("a")));
        Assert.Equal(["2", "3"], (await back.ExpectPublishesAsync(2)).Select(static p => p.Text));
    }

    [OwnFact]
    public async Task What_a_durable_member_has_not_acknowledged_survives()
    {
        var member = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt311, Id()));
        await member.SubscribeAsync(Filter, 1);
        await PublishAsync(1, "1", "2");
        await member.ExpectPublishesAsync(2);

        await Server.RestartAsync();

        var back = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt311, Id()));
        Assert.Equal(["1", "2"], (await back.ExpectPublishesAsync(2)).Select(static p => p.Text));
    }

    [OwnFact]
    public async Task QoS_2_in_flight_survives_with_the_member_that_has_it_and_its_packet_id()
    {
        var member = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("a")));
        await member.SubscribeAsync(Filter, 2);
        await PublishAsync(2, "1");
        var sent = await member.ExpectPublishAsync(Topic(), "1");

        await Server.RestartAsync();

        var other = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 2);
        await other.PingAsync();
        await other.ExpectNothingAsync(TimeSpan.FromMilliseconds(200));
        var back = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("a")));
        var again = await back.ExpectPublishAsync(Topic(), "1");
        Assert.Equal((sent.PacketId, true), (again.PacketId, again.Dup));
    }

    [OwnFact]
    public async Task A_group_without_members_is_forgotten()
    {
        var member = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));
        await member.SubscribeAsync(Filter, 1);
        await member.UnsubscribeAsync(Filter);
        await PublishAsync(1, "lost");
        await member.SubscribeAsync(Filter, 1);
        await member.DisconnectAsync();
        await PublishAsync(1, "kept");

        await Server.RestartAsync();

        var back = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));
        await back.ExpectPublishAsync(Topic(), "kept");
    }

    private async Task AwayMemberAsync(ProtocolVersion version, string name)
    {
        var member = await ConnectAsync(ConnectOptions.Durable(version, Id(name)));
        await member.SubscribeAsync(Filter, 1);
        await member.DisconnectAsync();
    }

    private async Task PublishAsync(int qos, params string[] texts)
    {
        var publisher = await ConnectAsync();
        foreach (var text in texts)
        {
            await publisher.PublishAsync(Topic(), text, qos);
        }
    }
}
