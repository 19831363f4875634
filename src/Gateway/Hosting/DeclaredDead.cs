using System.Diagnostics;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;

namespace Broker.Gateway.Hosting;

/// <summary>
/// What happens when this silo cannot go on as the member that it is: the others have declared it dead, because it was frozen or cut
/// off, or it does not reach all of them. Its sessions are theirs and whatever it did from here on would be refused, so it
/// begins again at once, as a new member, in the same process (<see cref="ProcessImage"/>): nobody has to start it. Its
/// connections end with the old image.
/// </summary>
internal sealed class DeclaredDead(BrokerState state, OpenListeners listeners, BrokerOptions options) : IFatalErrorHandler
{
    private int _isUnderWay;

    /// <inheritdoc />
    public bool IsUnexpected(Exception exception) => exception is not ThreadAbortException;

    /// <inheritdoc />
    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        if (Interlocked.Exchange(ref _isUnderWay, 1) != 0)
        {
            // Several parts find it out at the same time.
            return;
        }

        var cause = FirstSentence(context ?? exception?.Message ?? "no cause given");
        if (state.IsStopping)
        {
            // What it was to do in order it cannot do any more, and the others have done it.
            Say(LogLevel.Warning, $"This silo was declared dead while it stopped; its sessions are with the others ({cause})");
            Environment.Exit(0);
        }

        Say(
            LogLevel.Error,
            $"This silo begins again as a new member; its connections are closed, its sessions go to the others ({cause})");
        var failure = ProcessImage.Replace(listeners.FixedPorts(options), EarlierLife.Next());
        Say(LogLevel.Critical, $"This silo ends, to be started again: it cannot replace itself ({failure})");
        Process.GetCurrentProcess().Kill();
    }

    private static void Say(LogLevel level, FormattableString line) => LogLineFormatter.WriteNow(level, typeof(DeclaredDead), line);

    // The membership names all silos behind it.
    private static string FirstSentence(string text)
    {
        var end = text.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? text : text[..end];
    }
}
