using System.Globalization;
using Broker.Gateway.Hosting;

namespace Broker.Gateway.Tests.Hosting;

/// <summary>"ready in" counts from the program's own start and not from that of a launcher that built it first.</summary>
public sealed class ProgramStartTests
{
    private static readonly DateTime Process = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime Now = Process.AddSeconds(70);

    [Fact]
    public void Launcher_that_has_built_first_says_when_it_was_done()
    {
        var launched = Process.AddSeconds(68.5);
        Assert.Equal(launched, ProgramStart.Choose(Process, Now, Text(launched)), TimeSpan.FromMilliseconds(1));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("-1")]
    [InlineData("1e300")]
    [InlineData("99999999999999999999")]
    public void What_is_no_time_is_ignored(string? launched) =>
        Assert.Equal(Process, ProgramStart.Choose(Process, Now, launched));

    [Theory]
    [InlineData(-1)]
    [InlineData(71)]
    public void Time_outside_of_the_life_of_the_process_is_that_of_another(int seconds) =>
        Assert.Equal(Process, ProgramStart.Choose(Process, Now, Text(Process.AddSeconds(seconds))));

    private static string Text(DateTime time) =>
        (time - DateTime.UnixEpoch).TotalSeconds.ToString("F6", CultureInfo.InvariantCulture);
}
