using Broker.Grains.Messages;
using Broker.Grains.Storage;

namespace Broker.Grains.Retained;

/// <summary>Writes the present state of some topics.</summary>
/// <param name="topics">With the version that is written at least.</param>
internal sealed class RetainedWrite(RetainedMessages retained, List<(string Topic, MessageId Version)> topics) : AwaitableWrite
{
    public override bool MustSucceed => true;

    public override void AddTo(IStoreBatch batch) =>
        topics.ForEach(topic => retained.WriteTo(batch, topic.Topic, topic.Version));
}
