using Broker.Grains.Shared;

namespace Broker.Gateway.Connections;

/// <summary>
/// Collects the connections that the current thread has written to, so that each is flushed once when the thread has
/// handled everything that one read brought. Outside of a batch a flush goes to the thread pool, where writes of the same
/// moment still share it.
/// </summary>
internal static class FlushBatch
{
    [ThreadStatic]
    private static List<IFlushable>? _dirty;

    [ThreadStatic]
    private static bool _isOpen;

    /// <summary>Opens a batch on this thread; disposing of the scope flushes what was written in it.</summary>
    public static Scope Open()
    {
        var scope = new Scope(isInner: _isOpen);
        if (!_isOpen)
        {
            _isOpen = true;
            LenderTurn.Begin();
        }

        return scope;
    }

    private static void End()
    {
        // Before the flush: what it sends leaves with the rest.
        LenderTurn.End();
        _isOpen = false;
        if (_dirty is null)
        {
            return;
        }

        // A flush may complete a pending read inline and open a batch of its own on this thread.
        var dirty = _dirty;
        _dirty = null;
        foreach (var output in dirty)
        {
            output.Flush();
        }

        dirty.Clear();
        _dirty ??= dirty;
    }

    /// <summary>Called by an output when the first byte since its last flush is written.</summary>
    public static void Add(IFlushable output)
    {
        if (_isOpen)
        {
            (_dirty ??= []).Add(output);
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(output, preferLocal: false);
        }
    }

    /// <summary>An open batch; the outermost one flushes. Never held across an await.</summary>
    internal readonly ref struct Scope(bool isInner)
    {
        private readonly bool _isInner = isInner;

        /// <summary>Ends the batch.</summary>
        public void Dispose()
        {
            if (!_isInner)
            {
                End();
            }
        }
    }
}
