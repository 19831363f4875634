using Broker.Grains.Hooks;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Grains.Tests.Hooks;

/// <summary>What hooks that decide make of a message.</summary>
public sealed class HookFoldsTests : IDisposable
{
    private readonly MessageIdSource _ids = new(new MemoryStore(new MemoryRows()), TimeProvider.System);
    private readonly HookMetrics _metrics = new();

    /// <summary>Each message that is made takes an id, as it is retained: so they can be counted.</summary>
    [Fact]
    public async Task Message_that_several_hooks_change_is_made_once()
    {
        var folds = Of(
            new Changing(static m => m with { Retain = true }),
            new Changing(static m => m with { Topic = "b", Payload = new byte[] { 2 } }),
            new Changing(static m => m));
        var before = SequenceOf(_ids.Next(0));

        var (message, _) = await folds.PublishAsync(new HookClient("c", null, null), Message("a"));

        Assert.Equal("b"u8, message!.Topic);
        Assert.True(message.Retain);
        Assert.Equal((ushort)(before + 2), SequenceOf(_ids.Next(0)));
    }

    [Fact]
    public async Task Message_that_no_hook_changes_is_the_same_object()
    {
        var original = Message("a");

        var (message, _) = await Of(new Changing(static m => m)).PublishAsync(new HookClient("c", null, null), original);

        Assert.Same(original, message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/+")]
    public async Task Topic_that_is_not_valid_is_the_hooks_failure_and_the_message_stays_as_it_was(string topic)
    {
        var folds = Of(new Changing(m => m with { Topic = topic }), new Changing(static m => m with { Payload = new byte[] { 7 } }));

        var (message, reason) = await folds.PublishAsync(new HookClient("c", null, null), Message("a"));

        Assert.Equal(ReasonCode.Success, reason);
        Assert.Equal("a"u8, message!.Topic);
        Assert.Equal(new byte[] { 7 }, message.Payload.ToArray());
    }

    public void Dispose() => _metrics.Dispose();

    private HookFolds Of(params IHook[] hooks)
    {
        var services = new ServiceCollection();
        foreach (var hook in hooks)
        {
            services.AddHook(hook);
        }

        return new HookFolds(new HookCalls(new HookOptions(), _metrics, NullLogger<HookCalls>.Instance), _ids, services.BuildServiceProvider());
    }

    private static ApplicationMessage Message(string topic) => new([(byte)topic[0], 1], 1, 0) { Publisher = "c" };

    private static ushort SequenceOf(MessageId id) => (ushort)id.Low;

    private sealed class Changing(Func<HookMessage, HookMessage> change) : IPublishHook
    {
        public bool NeverBlocks => true;

        public ValueTask<PublishVerdict> OnPublishAsync(HookClient client, HookMessage message, CancellationToken cancellationToken) =>
            ValueTask.FromResult(PublishVerdict.Continue(change(message)));
    }
}
