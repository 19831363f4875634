namespace Broker.Tests.T15_Retained100k;

/// <summary>
/// Counts what one subscriber gets with the Retain flag: each of the topics that were set before exactly once. Of those that are set
/// while it subscribes (<see cref="Late"/>) each topic at most once, and each of their values at most once, with the flag or live.
/// </summary>
internal sealed class RetainedReader(string name, int expected)
{
    /// <summary>First level of the topics that are set meanwhile.</summary>
    public const string Late = "late/";

    private readonly HashSet<string> _topics = [];
    private readonly HashSet<string> _lateTopics = [];
    private readonly HashSet<(string Topic, string Value)> _lateValues = [];
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _doubled;
    private int _live;

    public Task Complete => _complete.Task;

    public bool IsExact => _topics.Count == expected && _doubled == 0;

    public void Take(ReceivedPacket packet)
    {
        if (packet.Type != PacketType.Publish)
        {
            return;
        }

        if (packet.Topic.StartsWith(Late, StringComparison.Ordinal))
        {
            _doubled += _lateValues.Add((packet.Topic, packet.Text)) && (!packet.Retain || _lateTopics.Add(packet.Topic)) ? 0 : 1;
        }
        else if (!packet.Retain)
        {
            _live++;
        }
        else if (!_topics.Add(packet.Topic))
        {
            _doubled++;
        }
        else if (_topics.Count == expected)
        {
            _complete.TrySetResult();
        }
    }

    public override string ToString() => $"{name}: {_topics.Count} of {expected} retained, {_lateTopics.Count} late, {_doubled} twice, {_live} live";
}
