using System.Net;
using Broker.Gateway.Listeners;

namespace Broker.Gateway.Tests.Listeners;

/// <summary>All refusals are counted; the log gets few lines of them.</summary>
public sealed class DeniedConnectionsTests
{
    [Fact]
    public void Log_has_the_first_and_then_one_line_for_each_pause_with_the_number_of_the_others()
    {
        var (time, lines) = (new Clock(), new Lines());
        var denied = new DeniedConnections(time, lines);
        void Add(int count)
        {
            for (var i = 0; i < count; i++)
            {
                denied.Add(IPAddress.Parse("10.0.0.1"), "Key");
            }
        }

        Add(1000);
        time.Now = DeniedConnections.Pause - TimeSpan.FromTicks(1);
        Add(1);
        time.Now = DeniedConnections.Pause;
        Add(5);

        Assert.Equal(1006, denied.Count);
        Assert.Equal(
            ["Connection from 10.0.0.1 refused by Key; 0 others since the last line like this",
                "Connection from 10.0.0.1 refused by Key; 1000 others since the last line like this"],
            lines);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }

    private sealed class Lines : List<string>, ILogger<DeniedConnections>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Add(formatter(state, exception));
    }
}
