namespace Broker.Tests.T01_Connect;

public sealed class ConnectTimeoutTests() : OwnBrokerTest(("Limits:ConnectTimeout", "1s"))
{
    [OwnFact]
    public async Task Connection_without_connect_is_closed_in_time()
    {
        var silent = await OpenAsync();
        var half = await OpenAsync();
        var packet = Packets.Connect(half.Options);
        await half.SendAsync(packet.AsMemory(0, packet.Length / 2));

        await silent.ExpectCloseAsync(TimeSpan.FromSeconds(5));
        await half.ExpectCloseAsync(TimeSpan.FromSeconds(5));
    }
}
