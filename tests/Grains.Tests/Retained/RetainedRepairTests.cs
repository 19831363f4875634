using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Retained;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.Retained;

public sealed class RetainedRepairTests : IDisposable
{
    private readonly MemoryRows _rows = new();
    private readonly MemoryStore _store;
    private readonly RetainedMessages _retained = new(new RetainedOptions());
    private readonly RetainedRepair _repair;

    public RetainedRepairTests()
    {
        _store = new MemoryStore(_rows);
        _repair = new RetainedRepair(_retained, _store);
    }

    public void Dispose() => _repair.Dispose();

    [Fact]
    public void A_row_that_was_refused_is_written_later_with_what_is_retained_then()
    {
        Publish("a", "first", 1, ReasonCode.QuotaExceeded);
        Publish("b", "", 2, ReasonCode.Success);
        Assert.Equal(1, _repair.Count);
        Publish("a", "second", 3, ReasonCode.QuotaExceeded);

        _repair.Tick();
        _store.Fail();
        Assert.Equal(1, _repair.Count);

        _repair.Tick();
        _store.Commit();
        Assert.Equal(0, _repair.Count);
        Assert.Equal(new MessageId(3, 0), Assert.Single(_rows.Retained).Value.Message.Id);
    }

    [Fact]
    public void What_fails_while_the_row_is_being_written_is_written_again()
    {
        Publish("a", "first", 1, ReasonCode.UnspecifiedError);
        _repair.Tick();
        Publish("a", "", 2, ReasonCode.UnspecifiedError);
        _store.Commit();
        Assert.Equal(1, _repair.Count);

        _repair.Tick();
        _store.Commit();
        Assert.Equal(0, _repair.Count);
        Assert.Empty(_rows.Retained);
    }

    private void Publish(string topic, string text, ulong version, ReasonCode outcome)
    {
        var message = Replica.Message(topic, text, new MessageId(version, 0));
        lock (_retained.Gate)
        {
            _retained.Set(message);
        }

        _repair.Watch(topic, message.Id).Published(outcome);
    }
}
