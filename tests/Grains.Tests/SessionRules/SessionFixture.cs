using Xunit;
using Broker.Grains.Diagnostics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>One broker with one subscriber "c" to "#", for tests that say one rule each.</summary>
internal sealed class SessionFixture : IDisposable
{
    public const string ClientId = "c";

    private readonly ModelBroker _broker;
    private long _epoch;

    private SessionFixture(MemoryRows rows, SessionOptions options, TimeSpan grace)
    {
        Rows = rows;
        _broker = new ModelBroker(rows, options, grace);
    }

    public MemoryRows Rows { get; }

    public Session Session { get; private set; } = null!;

    /// <summary>Epoch of the latest CONNECT.</summary>
    public long Epoch => Session.Epoch;

    public ModelBroker Broker => _broker;

    /// <summary>A subscriber that is away at first.</summary>
    public static async Task<SessionFixture> StartAsync(SessionOptions? options = null, bool durable = true, TimeSpan? grace = null)
    {
        var fixture = new SessionFixture(new MemoryRows(), options ?? new SessionOptions(), grace ?? TimeSpan.Zero);
        await fixture.ClaimAsync(durable);
        fixture.Session.Subscribe("#", (byte)QualityOfService.ExactlyOnce, 0, out _);
        if (durable)
        {
            await fixture._broker.CommitUntilAsync(fixture.Session.SaveSubscriptionsAsync(["#"]));
        }

        return fixture;
    }

    /// <summary>A broker that starts with the rows that another has left; its client is away.</summary>
    public static SessionFixture Restart(SessionFixture before, SessionOptions? options = null)
    {
        var fixture = new SessionFixture(before.Rows, options ?? new SessionOptions(), TimeSpan.Zero);
        fixture.Session = fixture._broker.Sessions.Find(ClientId)!;
        return fixture;
    }

    /// <summary>The client connects; what waits for it is sent.</summary>
    public RecordingLink Connect(ushort receiveMaximum = ushort.MaxValue)
    {
        var link = new RecordingLink();
        Assert.True(Session.Attach(link, _epoch, receiveMaximum));
        return link;
    }

    /// <summary>A new CONNECT of the client, which takes over from the earlier one.</summary>
    public async Task<RecordingLink> ReconnectAsync()
    {
        await ClaimAsync(durable: true);
        return Connect();
    }

    /// <summary>The connection ends in order: the store knows what was sent, which nobody does after a crash.</summary>
    public void EndConnection() => _broker.Lifecycle.ConnectionEnded(Session, _epoch, EndCause.Disconnect, null);

    public void Disconnect() => Assert.True(Session.Detach(_epoch));

    /// <summary>Publishes numbers in order with the number as payload.</summary>
    public void Publish(QualityOfService qos, params int[] numbers)
    {
        foreach (var number in numbers)
        {
            PublishTo("t", number, qos);
        }
    }

    public PublishOutcome PublishTo(string topic, int number, QualityOfService qos)
    {
        var outcome = new PublishOutcome();
        _broker.Publish(topic, number, qos, outcome);
        return outcome;
    }

    /// <summary>A message that has expired already.</summary>
    public void PublishExpired(int number, QualityOfService qos = QualityOfService.AtLeastOnce)
    {
        var plain = ModelMessage.Of("t", number, qos, default);
        var message = new ApplicationMessage(plain.Bytes.ToArray(), plain.TopicLength, 0) { Qos = plain.Qos, ExpiresAt = 1 };
        _broker.Publish(message, new PublishOutcome());
    }

    public void Commit() => _broker.Store.Commit();

    public long Dropped(DropReason reason) => _broker.Drops.Count(reason);

    public void Acknowledge(RecordingLink link, PacketType type, ushort packetId) =>
        Assert.Equal(AcknowledgeResult.Done, Session.Acknowledge(link, type, packetId, ReasonCode.Success));

    /// <summary>PUBACK for everything sent until nothing new comes; the numbers in the order of arrival.</summary>
    public List<int> Drain(RecordingLink link)
    {
        for (var i = 0; i < link.Published.Count; i++)
        {
            if (link.Published[i].Qos == QualityOfService.AtLeastOnce)
            {
                Acknowledge(link, PacketType.PubAck, link.Published[i].PacketId);
            }
        }

        return [.. link.Numbers];
    }

    public void Dispose() => _broker.Dispose();

    private async Task ClaimAsync(bool durable)
    {
        var claim = new SessionClaim
        {
            CleanStart = false, ExpiryInterval = durable ? 3600u : 0, Version = ProtocolVersion.Mqtt311,
        };
        var (session, grant) = await _broker.ConnectAsync(ClientId, claim);
        Session = session;
        _epoch = grant.Epoch;
    }
}

/// <summary>What a publisher was told.</summary>
internal sealed class PublishOutcome : IPublishWaiter
{
    /// <summary>Null while nothing was.</summary>
    public ReasonCode? Reason { get; private set; }

    public void Published(ReasonCode reason)
    {
        Assert.Null(Reason);
        Reason = reason;
    }
}
