using Xunit;

namespace Broker.Protocol.Tests;

public sealed class Utf8RulesTests
{
    [Theory]
    [InlineData("", true)]
    [InlineData("41", true)]
    [InlineData("01", true)]
    [InlineData("7F", true)]
    [InlineData("C280", true)]
    [InlineData("DFBF", true)]
    [InlineData("E0A080", true)]
    [InlineData("ED9FBF", true)]
    [InlineData("EE8080", true)]
    [InlineData("EFBBBF41", true)]
    [InlineData("EFBFBF", true)]
    [InlineData("F0908080", true)]
    [InlineData("F48FBFBF", true)]
    [InlineData("00", false)]
    [InlineData("410042", false)]
    [InlineData("80", false)]
    [InlineData("BF", false)]
    [InlineData("C080", false)]
    [InlineData("C1BF", false)]
    [InlineData("C3", false)]
    [InlineData("C328", false)]
    [InlineData("E08080", false)]
    [InlineData("E09FBF", false)]
    [InlineData("E282", false)]
    [InlineData("EDA080", false)]
    [InlineData("EDBFBF", false)]
    [InlineData("EDA0BDEDB880", false)]
    [InlineData("F08FBFBF", false)]
    [InlineData("F0908F", false)]
    [InlineData("F4908080", false)]
    [InlineData("F5808080", false)]
    [InlineData("FE", false)]
    [InlineData("FF", false)]
    public void Text_is_well_formed_and_without_U_0000_MQTT_1_5_4_1_MQTT_1_5_4_2(string hex, bool isValid) =>
        Assert.Equal(isValid, Utf8Rules.IsValid(Convert.FromHexString(hex)));

    [Fact]
    public void A_byte_order_mark_is_kept_MQTT_1_5_4_3()
    {
        var input = new System.Buffers.ReadOnlySequence<byte>(Convert.FromHexString("30070004EFBBBF416D"));
        PacketFramer.TryRead(ref input, 100, out var frame);

        Assert.True(PublishDecoder.TryDecode(frame, ProtocolVersion.Mqtt311, out var view, out _));
        Assert.Equal("EFBBBF41", Convert.ToHexString(view.Topic));
    }
}
