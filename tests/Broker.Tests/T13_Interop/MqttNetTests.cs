using System.Threading.Channels;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Broker.Tests.T13_Interop;

public sealed class MqttNetTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-7.0.0-2] of 3.1.1
    [Theory]
    [InlineData(MqttProtocolVersion.V310, 0)]
    [InlineData(MqttProtocolVersion.V310, 2)]
    [InlineData(MqttProtocolVersion.V311, 0)]
    [InlineData(MqttProtocolVersion.V311, 1)]
    [InlineData(MqttProtocolVersion.V311, 2)]
    [InlineData(MqttProtocolVersion.V500, 0)]
    [InlineData(MqttProtocolVersion.V500, 1)]
    [InlineData(MqttProtocolVersion.V500, 2)]
    public async Task Mqttnet_messages_arrive_in_order(MqttProtocolVersion version, int qos)
    {
        using var subscriber = new NetClient();
        await subscriber.ConnectAsync(Options(version));
        await subscriber.Client.SubscribeAsync(Topic("+"), (MqttQualityOfServiceLevel)qos);
        using var publisher = new NetClient();
        await publisher.ConnectAsync(Options(version));

        for (var number = 0; number < 100; number++)
        {
            await publisher.PublishAsync(Topic(), $"{number}", qos);
        }

        for (var number = 0; number < 100; number++)
        {
            var message = await subscriber.NextAsync();
            Assert.Equal($"{number}", message.ConvertPayloadToString());
            Assert.Equal(qos, (int)message.QualityOfServiceLevel);
        }
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task Mqttnet_gets_retained_messages(MqttProtocolVersion version)
    {
        using var client = new NetClient();
        await client.ConnectAsync(Options(version));
        await client.PublishAsync(Topic(), "kept", 1, retain: true);

        await client.Client.SubscribeAsync(Topic(), MqttQualityOfServiceLevel.AtLeastOnce);

        var message = await client.NextAsync();
        Assert.True(message.Retain);
        Assert.Equal("kept", message.ConvertPayloadToString());
        await client.PublishAsync(Topic(), "", 1, retain: true);
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task Will_of_an_mqttnet_client_that_vanishes_is_published(MqttProtocolVersion version)
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 1);
        using (var client = new NetClient())
        {
            await client.ConnectAsync(Options(version).WithWillTopic(Topic()).WithWillPayload("gone"));
        }

        await watcher.ExpectPublishAsync(Topic(), "gone");
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task Mqttnet_resumes_its_session(MqttProtocolVersion version)
    {
        MqttClientOptionsBuilder Session()
        {
            var builder = Options(version).WithClientId(Id()).WithCleanSession(false);
            return version == MqttProtocolVersion.V500 ? builder.WithSessionExpiryInterval(600) : builder;
        }

        using var before = new NetClient();
        Assert.False((await before.ConnectAsync(Session())).IsSessionPresent);
        await before.Client.SubscribeAsync(Topic(), MqttQualityOfServiceLevel.ExactlyOnce);
        await before.Client.DisconnectAsync();
        using var publisher = new NetClient();
        await publisher.ConnectAsync(Options(version));
        await publisher.PublishAsync(Topic(), "first", 1);
        await publisher.PublishAsync(Topic(), "second", 2);

        using var after = new NetClient();
        Assert.True((await after.ConnectAsync(Session())).IsSessionPresent);
        Assert.Equal("first", (await after.NextAsync()).ConvertPayloadToString());
        Assert.Equal("second", (await after.NextAsync()).ConvertPayloadToString());
    }

    private MqttClientOptionsBuilder Options(MqttProtocolVersion version) =>
        new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", Broker.Port).WithProtocolVersion(version);

    private sealed class NetClient : IDisposable
    {
        private readonly Channel<MqttApplicationMessage> _received = Channel.CreateUnbounded<MqttApplicationMessage>();

        public IMqttClient Client { get; } = new MqttClientFactory().CreateMqttClient();

        public Task<MqttClientConnectResult> ConnectAsync(MqttClientOptionsBuilder options)
        {
            Client.ApplicationMessageReceivedAsync += received => _received.Writer.WriteAsync(received.ApplicationMessage).AsTask();
            return Client.ConnectAsync(options.Build());
        }

        public async Task PublishAsync(string topic, string payload, int qos, bool retain = false) => await Client.PublishAsync(
            new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(payload).WithRetainFlag(retain)
                .WithQualityOfServiceLevel((MqttQualityOfServiceLevel)qos).Build());

        public async Task<MqttApplicationMessage> NextAsync() =>
            await _received.Reader.ReadAsync().AsTask().WaitAsync(ScriptedClient.Patience);

        public void Dispose() => Client.Dispose();
    }
}
