namespace Broker.Tests.T11_Flow;

/// <summary>What has been sent does not count against the output of a connection any more, down to the last byte.</summary>
public sealed class OutputBudgetTests
{
    // More acknowledgements than the smallest budget has bytes.
    private const int Messages = 5_000;

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311, 1)]
    [InlineData(ProtocolVersion.Mqtt5, 1)]
    [InlineData(ProtocolVersion.Mqtt311, 2)]
    [InlineData(ProtocolVersion.Mqtt5, 2)]
    public async Task A_connection_is_read_on_after_any_number_of_acknowledgements(ProtocolVersion version, int qos)
    {
        await using var broker = await BrokerServer.StartAsync(("Limits:OutboundBufferBytes", "4KiB"));
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions(version));
        for (var i = 0; i < Messages; i++)
        {
            await publisher.PublishAsync("nobody", "x", qos);
        }
    }
}
