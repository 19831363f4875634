using Broker.Gateway.Hosting;

namespace Broker.Gateway.Tests.Hosting;

public sealed class EarlierLifeTests
{
    [Theory]
    [InlineData("1 1000", 1, 1000)]
    [InlineData("12 1764086400000", 12, 1764086400000)]
    public void What_the_former_process_left_is_read(string text, int count, long at) =>
        Assert.Equal(new EarlierLife(count, at), EarlierLife.Parse(text));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("one two")]
    [InlineData("1 2 3")]
    public void Anything_else_is_no_earlier_life(string? text) => Assert.Null(EarlierLife.Parse(text));

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(5, 4)]
    [InlineData(1000, 10)]
    public void Who_fails_again_and_again_waits_longer_and_not_for_ever(int count, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), new EarlierLife(count, 0).Pause);
}
