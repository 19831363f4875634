using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Broker.Gateway.Hosting;
using Broker.Gateway.Options;

namespace Broker.Gateway.Sys;

/// <summary>Publishes the tree of this silo, at the start and at each interval. Nothing happens in between.</summary>
internal sealed partial class SysPublisher(
    SysOptions options, SysTopics topics, SysTree tree, SysNodes nodes, TimeProvider time, ILogger<SysPublisher> logger) : BackgroundService
{
    // Who stops renewing is gone after that many intervals.
    private const int KeptIntervals = 3;

    private readonly ILogger _logger = logger;
    private readonly long _startedAt = time.GetTimestamp();

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Interval <= TimeSpan.Zero)
        {
            return;
        }

        using var timer = new PeriodicTimer(options.Interval, time);
        do
        {
            try
            {
                Publish();
            }
            catch (Exception error)
            {
                // The next interval tries again.
                NotPublished(error);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private void Publish()
    {
        var keepFor = options.Interval * KeptIntervals;
        topics.RetainRoot(Bytes(nodes.List()), keepFor);
        topics.Retain("version", Bytes(Banner.Version), keepFor);
        topics.Retain("sysdescr", Bytes($"MQTT broker on {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}"), keepFor);
        if (!topics.HasSubscribers)
        {
            return;
        }

        topics.Publish("uptime", Bytes(((long)time.GetElapsedTime(_startedAt).TotalSeconds).ToString(CultureInfo.InvariantCulture)));
        topics.Publish("datetime", Bytes(time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)));
        foreach (var (name, value) in tree.Stats().Concat(tree.Metrics()))
        {
            topics.Publish(name, Bytes(value));
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [LoggerMessage(500, LogLevel.Warning, "$SYS was not published; tried again at the next interval")]
    private partial void NotPublished(Exception error);
}
