using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

public sealed class RepeatableMessagesTests
{
    [Fact]
    public void Message_is_new_once()
    {
        var messages = new RepeatableMessages();
        Assert.True(messages.TryAdd(new MessageId(1, 1)));
        Assert.False(messages.TryAdd(new MessageId(1, 1)));
        Assert.True(messages.TryAdd(new MessageId(1, 2)));
    }

    [Fact]
    public void Oldest_is_forgotten_beyond_the_capacity()
    {
        var messages = new RepeatableMessages(capacity: 2);
        messages.TryAdd(new MessageId(1, 1));
        messages.TryAdd(new MessageId(1, 2));
        messages.TryAdd(new MessageId(1, 3));

        Assert.False(messages.TryAdd(new MessageId(1, 2)));
        Assert.True(messages.TryAdd(new MessageId(1, 1)));
    }
}
