using Broker.Grains.Sessions;

namespace Broker.Grains.Routing;

/// <summary>
/// Tells in one comparison whether a publish has met a session before. One for each thread that routes, indexed by the
/// session's slot; starting over costs one increment.
/// </summary>
internal sealed class SessionMarks
{
    private uint[] _marks = new uint[64];
    private uint _current;

    public void Begin()
    {
        if (++_current == 0)
        {
            Array.Clear(_marks);
            _current = 1;
        }
    }

    /// <summary>True the first time since <see cref="Begin"/>.</summary>
    public bool TryMark(Session session)
    {
        if (session.Slot >= _marks.Length)
        {
            Array.Resize(ref _marks, Math.Max(_marks.Length * 2, session.Slot + 1));
        }

        ref var mark = ref _marks[session.Slot];
        var isNew = mark != _current;
        mark = _current;
        return isNew;
    }
}
