using System.Runtime.InteropServices;

namespace Broker.Gateway.Hosting;

/// <summary>
/// Ctrl-C and SIGTERM. During the start they call it off: the runtime would end the process with 130 or 143 in the middle of opening
/// the store. Once the host runs it handles the first one itself. A second one, at any time, ends the process at once: what was acknowledged is in the
/// store, and the rest is like the rest after a crash.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    // Exit code of a process that a signal has ended, as shells give it.
    private const int SignalExit = 128;

    // A terminal and a supervisor may both pass one Ctrl-C on; nobody presses it twice as fast.
    private static readonly TimeSpan Same = TimeSpan.FromMilliseconds(300);

    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Lock _gate = new();
    private long _first;

    public StopSignals() => _registrations =
    [
        Register(PosixSignal.SIGTERM, 15), Register(PosixSignal.SIGINT, 2), Register(PosixSignal.SIGQUIT, 3),
    ];

    /// <summary>Fires at the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _stop.Dispose();
    }

    private PosixSignalRegistration Register(PosixSignal signal, int number) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        lock (_gate)
        {
            var now = Environment.TickCount64;
            if (_first == 0)
            {
                _first = now;
            }
            else if (now - _first > Same.TotalMilliseconds)
            {
                Console.Error.WriteLine("broker: a second signal: the process ends at once");
                Environment.Exit(SignalExit + number);
            }
        }

        _stop.Cancel();
    });
}
