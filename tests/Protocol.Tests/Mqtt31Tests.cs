using System.Buffers;
using Xunit;

namespace Broker.Protocol.Tests;

/// <summary>What MQTT 3.1 allows and its successors do not.</summary>
public sealed class Mqtt31Tests
{
    [Theory]
    [InlineData("6A020001")]
    [InlineData("8A06000100016100")]
    [InlineData("AA050001000161")]
    public void PUBREL_SUBSCRIBE_and_UNSUBSCRIBE_may_carry_DUP_in_3_1_only(string hex)
    {
        var input = new ReadOnlySequence<byte>(Convert.FromHexString(hex));

        Assert.Null(ServerInput.Check(input, ProtocolVersion.Mqtt31));
        Assert.Equal(ReasonCode.MalformedPacket, ServerInput.Check(input, ProtocolVersion.Mqtt311));
    }

    [Theory]
    [InlineData("1010" + "00064D514973647003" + "82" + "0000" + "00026964")]
    [InlineData("1010" + "00064D514973647003" + "C2" + "0000" + "00026964")]
    [InlineData("1013" + "00064D514973647003" + "C2" + "0000" + "00026964" + "000175")]
    public void CONNECT_of_3_1_may_leave_out_user_name_and_password_that_its_flags_announce(string hex)
    {
        var input = new ReadOnlySequence<byte>(Convert.FromHexString(hex));
        PacketFramer.TryRead(ref input, ServerInput.MaximumPacketSize, out var frame);

        Assert.True(ConnectPacket.TryDecode(frame, out var packet, out _));
        Assert.Equal("id", packet.ClientId);
        Assert.Null(packet.Password);
    }
}
