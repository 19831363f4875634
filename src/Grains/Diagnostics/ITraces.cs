using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Messages;

namespace Broker.Grains.Diagnostics;

/// <summary>The traces of this silo: what one client, some addresses or some topics do, written to files while an administrator wants it.</summary>
public interface ITraces
{
    /// <summary>A message was dropped for good. Never waits.</summary>
    void Dropped(string clientId, ReadOnlySpan<byte> topic, DropReason reason, int count, MessageId message);

    /// <summary>Starts a trace.</summary>
    /// <param name="continues">Whether a file of that name that an earlier process has left is added to; otherwise it stands against it.</param>
    /// <returns>Why it does not; null when it does.</returns>
    string? Start(TraceSpec spec, bool continues = false);

    /// <summary>Ends a trace; its file stays. Does nothing to one that has ended.</summary>
    /// <returns>Whether there is one.</returns>
    bool Stop(string name);

    /// <summary>Ends a trace and deletes its file.</summary>
    /// <returns>Whether there was one.</returns>
    bool Remove(string name);

    /// <summary>All traces whose file is there, also those that have ended.</summary>
    TraceReport[] All();

    /// <summary>A part of a file, from <paramref name="offset"/> on.</summary>
    TracePart Read(string name, long offset);
}
