using Broker.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// Whether this silo may acknowledge: for a while after each touch with the database. A silo that was frozen, or cut off
/// from the database, is out of its time before the others take its sessions over, so that no message is acknowledged by
/// both; acknowledgements wait until the time is renewed. A silo that finds itself declared dead begins again as a new one.
/// </summary>
public sealed partial class SiloTime : IAsyncDisposable
{
    private readonly ClusterStore _store;
    private readonly IFatalErrorHandler _dead;
    private readonly Func<bool> _isLeaving;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();
    private readonly TimeSpan _duration;
    private Task _renewal = Task.CompletedTask;
    private TaskCompletionSource? _renewed;
    private long _until;
    private long _since;

    /// <param name="isLeaving">Whether the silo stops and leaves the membership by itself.</param>
    public SiloTime(ClusterStore store, ClusterStoreOptions options, IFatalErrorHandler dead, Func<bool> isLeaving, ILogger<SiloTime> logger)
    {
        _isLeaving = isLeaving;
        _store = store;
        _dead = dead;
        _logger = logger;
        _duration = options.SiloTime;
    }

    /// <summary>Whether the silo is in its time.</summary>
    public bool IsValid => Environment.TickCount64 < Volatile.Read(ref _until);

    /// <summary>How long it has been out of its time; zero when it is in it.</summary>
    public TimeSpan OutFor => TimeSpan.FromMilliseconds(Math.Max(0, Environment.TickCount64 - Volatile.Read(ref _until)));

    /// <summary>How long it has been in its time without a gap; zero when it is out of it.</summary>
    public TimeSpan InFor
    {
        get
        {
            lock (_gate)
            {
                return IsValid ? TimeSpan.FromMilliseconds(Environment.TickCount64 - _since) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Completes when the silo is in its time again.</summary>
    public Task ValidAsync()
    {
        lock (_gate)
        {
            return IsValid
                ? Task.CompletedTask
                : (_renewed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Registers the silo and keeps it in its time from here on.</summary>
    public async Task StartAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        var began = Environment.TickCount64;
        await _store.RegisterAsync(silo, cancellationToken);
        Renewed(began);
        _renewal = Task.Run(RenewAsync, CancellationToken.None);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _renewal;
        Volatile.Write(ref _until, 0);
        try
        {
            using var patience = new CancellationTokenSource(_duration);
            await _store.LeaveAsync(patience.Token);
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException or InvalidOperationException)
        {
            // The others wait until the time is over by itself.
            NotRenewed(error.Message);
        }

        _closing.Dispose();
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(_duration / 4);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                // From before the call: the database counts from later.
                var began = Environment.TickCount64;
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
                patience.CancelAfter(_duration);
                try
                {
                    if (!await _store.RenewAsync(patience.Token))
                    {
                        if (_isLeaving())
                        {
                            // What is left to do is done in the time that is left.
                            return;
                        }

                        _dead.OnFatalException(this, "the database counts it as dead");
                        return;
                    }

                    Renewed(began);
                }
                catch (StoreException error)
                {
                    NotRenewed(error.Message);
                }
                catch (OperationCanceledException) when (!_closing.IsCancellationRequested)
                {
                    // Asked again: an answer to this one would come too late, also after the network is whole again.
                    NotRenewed("no answer in time");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private void Renewed(long began)
    {
        lock (_gate)
        {
            if (!IsValid)
            {
                _since = Environment.TickCount64;
            }

            Volatile.Write(ref _until, began + (long)_duration.TotalMilliseconds);
            if (IsValid)
            {
                _renewed?.TrySetResult();
                _renewed = null;
            }
        }
    }

    [LoggerMessage(331, LogLevel.Debug, "The time of the silo could not be renewed: {Cause}")]
    private partial void NotRenewed(string cause);
}
