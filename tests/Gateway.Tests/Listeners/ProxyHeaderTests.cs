using System.Buffers;
using System.Net;
using System.Text;
using Broker.Gateway.Listeners;

namespace Broker.Gateway.Tests.Listeners;

/// <summary>What is read of the header that a balancer sends, and what is none.</summary>
public sealed class ProxyHeaderTests
{
    private static readonly byte[] Signature = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    public static TheoryData<byte[], string?> Headers => new()
    {
        { Text("PROXY TCP4 198.51.100.22 203.0.113.7 35646 1883\r\n"), "198.51.100.22:35646" },
        { Text("PROXY TCP6 2001:db8::1 2001:db8::2 65535 1883\r\n"), "[2001:db8::1]:65535" },
        { Text("PROXY UNKNOWN\r\n"), null },
        { Text("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), null },
        { Binary(0x21, 0x11, [198, 51, 100, 22, 203, 0, 113, 7, 0x12, 0x34, 0x07, 0x5B]), "198.51.100.22:4660" },
        { Binary(0x21, 0x21, [.. IPAddress.Parse("2001:db8::1").GetAddressBytes(), .. new byte[16], 0x00, 0x50, 0x07, 0x5B]), "[2001:db8::1]:80" },
        { Binary(0x21, 0x11, [198, 51, 100, 22, 203, 0, 113, 7, 0x12, 0x34, 0x07, 0x5B, 0x04, 0x00, 0x01, 0xFF]), "198.51.100.22:4660" },
        { Binary(0x20, 0x00, []), null },
        { Binary(0x20, 0x11, [198, 51, 100, 22, 203, 0, 113, 7, 0x12, 0x34, 0x07, 0x5B]), null },
        { Binary(0x21, 0x00, [1, 2, 3]), null },
        { Binary(0x21, 0x31, new byte[216]), null },
    };

    public static TheoryData<byte[]> Others => new()
    {
        { [0x10, 0x0C] },
        { Text("PROXY TCP4 198.51.100.22 203.0.113.7 35646\r\n") },
        { Text("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n") },
        { Text("PROXY TCP6 198.51.100.22 203.0.113.7 1 2\r\n") },
        { Text("PROXY TCP4 198.51.100.22 203.0.113.7 65536 1883\r\n") },
        { Text("PROXY TCP4 198.51.100.22 203.0.113.7 -1 1883\r\n") },
        { Text("PROXY UDP4 198.51.100.22 203.0.113.7 1 2\r\n") },
        { Text("PROXZ") },
        { Text("proxy TCP4") },
        { Text("PROXY " + new string('x', 101)) },
        { Text("\r\n\r\nX") },
        { Binary(0x11, 0x11, new byte[12]) },
        { Binary(0x22, 0x11, new byte[12]) },
        { Binary(0x21, 0x11, new byte[11]) },
        { Binary(0x21, 0x21, new byte[35]) },
        { Binary(0x21, 0x00, new byte[4097]) },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void Header_tells_the_client_and_ends_where_the_client_begins(byte[] header, string? client)
    {
        for (var have = 0; have < header.Length; have++)
        {
            Assert.Equal(OperationStatus.NeedMoreData, ProxyHeader.Read(header.AsSpan(0, have), out _, out _));
        }

        byte[] all = [.. header, 0x10, 0x0C, (byte)'\r', (byte)'\n'];
        Assert.Equal(OperationStatus.Done, ProxyHeader.Read(all, out var length, out var told));
        Assert.Equal((header.Length, client), (length, told?.ToString()));
    }

    [Theory]
    [MemberData(nameof(Others))]
    public void Anything_else_is_not_waited_for(byte[] bytes) =>
        Assert.Equal(OperationStatus.InvalidData, ProxyHeader.Read(bytes, out _, out _));

    private static byte[] Text(string text) => Encoding.ASCII.GetBytes(text);

    private static byte[] Binary(byte command, byte family, byte[] body) =>
        [.. Signature, command, family, (byte)(body.Length >> 8), (byte)body.Length, .. body];
}
