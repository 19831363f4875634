using System.Diagnostics;
using System.Threading.Channels;
using Broker.Gateway.Options;
using Broker.Grains.Hooks;

namespace Broker.Gateway.Webhook;

/// <summary>
/// Tells an HTTP server of events: one request at a time, and what comes meanwhile is in the next, so batches grow with the load and there
/// is no timer. A server that is away costs a bounded queue; what does not fit is lost and counted.
/// </summary>
internal sealed partial class WebhookSender(
    WebhookOptions options, ShutdownOptions shutdown, ILocalSiloDetails silo, HookMetrics metrics, ILogger<WebhookSender> logger)
    : BackgroundService, IEventSink
{
    private const string Name = "webhook";
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly ILogger _logger = logger;
    private readonly WebhookClient _client = new(options);
    private readonly bool[] _wants = Wanted(options);
    private readonly Channel<BrokerEvent> _queue =
        Channel.CreateBounded<BrokerEvent>(new BoundedChannelOptions(options.MaxQueued) { SingleReader = true });

    // For the log: without user info and query, which may be secrets.
    private readonly string _place =
        new Uri(options.Url).GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    // A quarter: the rest of the stop, silo and store above all, keeps most of its time when the server hangs.
    private readonly TimeSpan _stopTime = shutdown.StopTimeout / 4 < options.Timeout ? shutdown.StopTimeout / 4 : options.Timeout;

    private long _bytes;
    private int _waiting;
    private long _batches;
    private bool _isFailing;

    /// <inheritdoc />
    public int Priority => 0;

    /// <inheritdoc />
    public bool Wants(BrokerEventKind kind) => _wants[(int)kind];

    /// <inheritdoc />
    public void Post(BrokerEvent happened)
    {
        var size = BrokerEventSize.Of(happened);
        Interlocked.Increment(ref _waiting);
        if (Interlocked.Add(ref _bytes, size) > options.MaxQueuedBytes || !_queue.Writer.TryWrite(happened))
        {
            Interlocked.Add(ref _bytes, -size);
            Interlocked.Decrement(ref _waiting);
            metrics.Untold(Name);
        }
    }

    /// <summary>What waits is sent, in a part of the stop's time; what is left then is lost and counted.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        await (ExecuteTask ?? Task.CompletedTask).WaitAsync(_stopTime, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
        if (Interlocked.Exchange(ref _waiting, 0) is > 0 and var left)
        {
            metrics.Untold(Name, left);
            LogLost(_place, left, "the broker stops");
        }
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        base.Dispose();
        _client.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<BrokerEvent>();
        while (await _queue.Reader.WaitToReadAsync(stoppingToken))
        {
            batch.Clear();
            while (batch.Count < options.MaxBatch && _queue.Reader.TryRead(out var next))
            {
                batch.Add(next);
            }

            await SendAsync(batch, stoppingToken);
            Interlocked.Add(ref _bytes, -batch.Sum(BrokerEventSize.Of));
            Interlocked.Add(ref _waiting, -batch.Count);
        }
    }

    private async Task SendAsync(List<BrokerEvent> batch, CancellationToken cancellationToken)
    {
        var number = ++_batches;
        var body = WebhookJson.Write(silo.Name, batch);
        var start = Stopwatch.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (await _client.PostAsync(number, body, cancellationToken) is not { } failure)
            {
                if (_isFailing)
                {
                    _isFailing = false;
                    LogRecovered(_place);
                }

                return;
            }

            if (!_isFailing)
            {
                _isFailing = true;
                LogFailed(_place, failure.Cause);
            }

            if (!failure.MayPass || Stopwatch.GetElapsedTime(start) + pause > options.RetryFor)
            {
                metrics.Untold(Name, batch.Count);
                LogLost(_place, batch.Count, failure.Cause);
                return;
            }

            await Task.Delay(pause, cancellationToken);
        }
    }

    private static bool[] Wanted(WebhookOptions options)
    {
        var wants = new bool[BrokerEventKinds.All.Count];
        if (BrokerEventKinds.TryParse(options.Events, out var kinds))
        {
            foreach (var kind in kinds)
            {
                wants[(int)kind] = true;
            }
        }

        return wants;
    }

    [LoggerMessage(610, LogLevel.Warning, "Webhook {Url} does not take events: {Cause}")]
    private partial void LogFailed(string url, string cause);

    [LoggerMessage(611, LogLevel.Information, "Webhook {Url} takes events again")]
    private partial void LogRecovered(string url);

    [LoggerMessage(612, LogLevel.Warning, "Webhook {Url}: {Count} events are lost: {Cause}")]
    private partial void LogLost(string url, int count, string cause);
}
