namespace Broker.Tests.T15_Retained100k;

/// <summary>Counts what one subscriber gets with the Retain flag.</summary>
internal sealed class RetainedReader(string name, int expected)
{
    private readonly HashSet<string> _topics = [];
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

        if (!packet.Retain)
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

    public override string ToString() => $"{name}: {_topics.Count} of {expected} retained, {_doubled} twice, {_live} live";
}
