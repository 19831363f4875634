using System.Buffers;
using Xunit;

namespace Broker.Protocol.Tests;

/// <summary>What is known of a CONNECT that cannot be accepted.</summary>
public sealed class ConnectBeginningTests
{
    private const string Name = "00044D515454";

    [Theory]
    [InlineData("")]
    [InlineData("0004")]
    [InlineData(Name)]
    [InlineData("00044D515458" + "05")]
    [InlineData("00064D5149736470" + "05")]
    [InlineData(Name + "06")]
    public void Nothing_is_known_without_a_version_that_exists(string body) => Assert.Null(Read(body));

    [Theory]
    [InlineData("00064D5149736470" + "03", ProtocolVersion.Mqtt31)]
    [InlineData(Name + "04", ProtocolVersion.Mqtt311)]
    [InlineData(Name + "05", ProtocolVersion.Mqtt5)]
    [InlineData(Name + "0502003C0A27000000", ProtocolVersion.Mqtt5)]
    public void Version_is_known_as_soon_as_it_has_come(string body, ProtocolVersion version)
    {
        var beginning = Read(body);

        Assert.Equal((version, null, true), (beginning?.Version, beginning?.MaximumPacketSize, beginning?.RequestProblemInformation));
    }

    [Theory]
    [InlineData(Name + "0506003C" + "07" + "2700000014" + "1700" + "000161" + "00" + "000123" + "0000")]
    [InlineData(Name + "0502003C" + "08" + "2700000014" + "1700" + "7F" + "000161")]
    [InlineData(Name + "0502003C" + "07" + "2700000014" + "1700")]
    public void Properties_before_the_violation_are_known(string body)
    {
        var beginning = Read(body);

        Assert.Equal((20u, false), (beginning?.MaximumPacketSize, beginning?.RequestProblemInformation));
    }

    private static ConnectPacket? Read(string body) =>
        ConnectPacket.ReadBeginning(new PacketFrame(0x10, new ReadOnlySequence<byte>(Convert.FromHexString(body))));
}
