using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Broker.Gateway.Listeners;

/// <summary>
/// What a balancer sends before the first byte of its client: the PROXY protocol of HAProxy, version 1 (a line of text) and 2 (binary),
/// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt.
/// </summary>
internal static class ProxyHeader
{
    // "The maximum line lengths the receiver must support including the CRLF" (section 2.1).
    private const int MaxTextBytes = 107;

    // Signature, version and command, family, length.
    private const int FixedBytes = 16;

    // Addresses take at most 216 bytes; the rest is for what balancers add, such as the subject of a certificate.
    private const int MaxVariableBytes = 4096;

    private const byte Tcp4 = 0x11;
    private const byte Tcp6 = 0x21;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    private static ReadOnlySpan<byte> Word => "PROXY "u8;

    /// <summary>Reads the header from the first bytes of a connection.</summary>
    /// <param name="length">Of the whole header, when it is done.</param>
    /// <param name="client">Null when the balancer speaks for itself (its health check), or for a client without IP address.</param>
    /// <returns>Done, NeedMoreData, or InvalidData: the connection begins with something else.</returns>
    public static OperationStatus Read(ReadOnlySpan<byte> input, out int length, out IPEndPoint? client)
    {
        (length, client) = (0, null);
        return input.IsEmpty ? OperationStatus.NeedMoreData
            : input[0] == Signature[0] ? ReadBinary(input, out length, out client) : ReadText(input, out length, out client);
    }

    private static OperationStatus ReadText(ReadOnlySpan<byte> input, out int length, out IPEndPoint? client)
    {
        (length, client) = (0, null);
        if (!BeginsLike(input, Word))
        {
            return OperationStatus.InvalidData;
        }

        var line = input[..Math.Min(input.Length, MaxTextBytes)];
        var end = line.IndexOf("\r\n"u8);
        if (end < 0)
        {
            return line.Length < MaxTextBytes ? OperationStatus.NeedMoreData : OperationStatus.InvalidData;
        }

        length = end + 2;
        return Encoding.ASCII.GetString(line[..end]).Split(' ') switch
        {
            ["PROXY", "UNKNOWN", ..] => OperationStatus.Done,
            ["PROXY", "TCP4", var source, _, var port, _] => ReadAddress(source, port, AddressFamily.InterNetwork, out client),
            ["PROXY", "TCP6", var source, _, var port, _] => ReadAddress(source, port, AddressFamily.InterNetworkV6, out client),
            _ => OperationStatus.InvalidData,
        };
    }

    private static OperationStatus ReadAddress(string source, string port, AddressFamily family, out IPEndPoint? client)
    {
        client = IPAddress.TryParse(source, out var address) && address.AddressFamily == family
            && ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? new IPEndPoint(address, number) : null;
        return client is null ? OperationStatus.InvalidData : OperationStatus.Done;
    }

    private static OperationStatus ReadBinary(ReadOnlySpan<byte> input, out int length, out IPEndPoint? client)
    {
        (length, client) = (0, null);
        if (!BeginsLike(input, Signature))
        {
            return OperationStatus.InvalidData;
        }

        if (input.Length < FixedBytes)
        {
            return OperationStatus.NeedMoreData;
        }

        var (version, command) = (input[12] >> 4, input[12] & 0xF);
        var size = BinaryPrimitives.ReadUInt16BigEndian(input[14..]);
        if (version != 2 || command > 1 || size > MaxVariableBytes)
        {
            return OperationStatus.InvalidData;
        }

        length = FixedBytes + size;
        if (input.Length < length)
        {
            return OperationStatus.NeedMoreData;
        }

        var body = input[FixedBytes..length];
        return (command, family: input[13]) switch
        {
            (0, _) => OperationStatus.Done,
            (_, Tcp4) => ReadAddress(body, bytes: 4, out client),
            (_, Tcp6) => ReadAddress(body, bytes: 16, out client),
            _ => OperationStatus.Done,
        };
    }

    /// <summary>Source and destination address, then the ports of both.</summary>
    private static OperationStatus ReadAddress(ReadOnlySpan<byte> body, int bytes, out IPEndPoint? client)
    {
        client = body.Length < (2 * bytes) + 4 ? null
            : new IPEndPoint(new IPAddress(body[..bytes]), BinaryPrimitives.ReadUInt16BigEndian(body[(2 * bytes)..]));
        return client is null ? OperationStatus.InvalidData : OperationStatus.Done;
    }

    private static bool BeginsLike(ReadOnlySpan<byte> input, ReadOnlySpan<byte> expected) =>
        expected.StartsWith(input[..Math.Min(input.Length, expected.Length)]);
}
