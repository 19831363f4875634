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

    /// <summary>Each byte is a sign of life and none is a CONNECT: the time is for the whole packet.</summary>
    [OwnFact]
    public async Task Connect_that_comes_byte_by_byte_is_cut_off_when_the_time_is_over()
    {
        var client = await OpenAsync(new ConnectOptions { ClientId = new string('i', 1000) });
        var packet = Packets.Connect(client.Options);
        var sent = 0;

        // 100 s for all of it, a hundred times of what is granted.
        while (sent < packet.Length && !client.IsClosed && await client.TrySendAsync(packet.AsMemory(sent, 1)))
        {
            sent++;
            await client.ClosesAsync(TimeSpan.FromMilliseconds(100));
        }

        await client.ExpectCloseAsync();
        Assert.InRange(sent, 2, packet.Length - 1);
    }
}
