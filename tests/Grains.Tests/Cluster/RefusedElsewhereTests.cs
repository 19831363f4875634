using System.Text;
using System.Threading.Channels;
using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Grains.Topics;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

/// <summary>
/// What another silo has refused is sent again by its publisher. What the publisher has sent after it, and still waits on the way to that silo,
/// must not be there first (promise 3).
/// </summary>
public sealed class RefusedElsewhereTests : IDisposable
{
    private readonly Channel<(string[] Messages, TaskCompletionSource<DeliveryOutcome> Answer)> _calls =
        Channel.CreateUnbounded<(string[], TaskCompletionSource<DeliveryOutcome>)>();

    private readonly MemoryStore _store = new(new MemoryRows());
    private readonly OtherSilos _others;
    private readonly Peer _other;
    private ulong _ids;

    public RefusedElsewhereTests()
    {
        _others = new OtherSilos(_store, new RecordingInbox { Answer = HoldAsync });
        _other = _others.Add(2, "a");
    }

    [Fact]
    public async Task What_its_publisher_has_sent_since_is_refused_and_others_go_on()
    {
        var refused = new PublisherRecords();
        var first = Publish("1", refused);
        var answer = await CalledWithAsync("1");
        var waiting = new[] { Publish("2", refused), Publish("other", new PublisherRecords()), Publish("nobody's", null) };
        answer(ReasonCode.ImplementationSpecificError);
        (await CalledWithAsync("other", "nobody's"))(ReasonCode.Success);

        Assert.Equal(ReasonCode.ImplementationSpecificError, await first);
        Assert.Equal([ReasonCode.ImplementationSpecificError, ReasonCode.Success, ReasonCode.Success], await Task.WhenAll(waiting));
    }

    [Fact]
    public async Task A_client_that_is_told_publishes_on()
    {
        var records = new PublisherRecords { EndsWithRefusal = false };
        var first = Publish("1", records);
        var answer = await CalledWithAsync("1");
        var second = Publish("2", records);
        answer(ReasonCode.ImplementationSpecificError);
        Assert.Equal(ReasonCode.ImplementationSpecificError, await first);
        Assert.Equal(ReasonCode.ImplementationSpecificError, await second);

        var again = Publish("1", records);
        (await CalledWithAsync("1"))(ReasonCode.Success);
        Assert.Equal(ReasonCode.Success, await again);
    }

    [Fact]
    public async Task Each_message_has_its_own_answer_also_beside_those_that_nobody_waits_for()
    {
        _ = Publish("1", null);
        var answer = await CalledWithAsync("1");
        PublishOnce("2");
        var third = Publish("3", null);
        var fourth = Publish("4", null);
        answer(ReasonCode.Success);
        var call = await CallAsync("2", "3", "4");
        call.SetResult(new DeliveryOutcome
        {
            Reasons = [(byte)ReasonCode.Success, (byte)ReasonCode.ImplementationSpecificError, (byte)ReasonCode.Success],
        });

        Assert.Equal(ReasonCode.ImplementationSpecificError, await third);
        Assert.Equal(ReasonCode.Success, await fourth);
    }

    [Fact]
    public async Task Client_that_goes_on_is_not_refused_for_what_it_sends_after_the_refusal()
    {
        var records = new PublisherRecords { EndsWithRefusal = false };
        var refused = Record(records);
        var waiting = Record(records);
        refused.Answered(ReasonCode.ImplementationSpecificError);
        var later = Record(records);
        Assert.True(waiting.IsOvertaking);

        // Refused on its way to yet another silo, because of the first one.
        waiting.Answered(ReasonCode.ImplementationSpecificError);

        Assert.False(later.IsOvertaking);
    }

    [Theory]
    [InlineData(true, ReasonCode.Success)]
    [InlineData(false, ReasonCode.ImplementationSpecificError)]
    public async Task A_full_queue_stops_only_who_finds_out_by_the_end_of_the_connection(bool isTold, ReasonCode second)
    {
        var records = new PublisherRecords { EndsWithRefusal = !isTold };
        var first = Publish("1", records);
        (await CalledWithAsync("1"))(ReasonCode.QuotaExceeded);
        Assert.Equal(ReasonCode.QuotaExceeded, await first);

        var next = Publish("2", records);
        if (isTold)
        {
            (await CalledWithAsync("2"))(ReasonCode.Success);
        }

        Assert.Equal(second, await next);
    }

    [Fact]
    public async Task What_was_refused_is_not_kept_when_the_silo_dies()
    {
        var refused = new PublisherRecords();
        _ = Publish("1", refused);
        var answer = await CalledWithAsync("1");
        var second = Publish("2", refused);
        _ = Publish("other", null);
        answer(ReasonCode.ImplementationSpecificError);
        Assert.Equal(ReasonCode.ImplementationSpecificError, await second);
        await CalledWithAsync("other");
        _ = Publish("later", null);

        _others.Die(_other);
        await _other.Edge.DrainedAsync();

        Assert.Equal(["other", "later"], _other.TakeKept().Select(static x => Encoding.UTF8.GetString(x.Message.Message.Payload)));
    }

    [Fact]
    public async Task What_was_kept_for_a_dead_silo_does_not_come_to_its_sessions_before_what_another_silo_has_refused()
    {
        var dead = _others.Add(3, "b");
        var records = new PublisherRecords();
        var kept = Record(records);
        var refused = Record(records);
        var behind = Record(records);
        _others.Die(dead);
        refused.Answered(ReasonCode.ImplementationSpecificError);

        var delivered = new List<PublishRecord>();
        foreach (var record in new[] { kept, behind })
        {
            _others.Routing.Recover(dead, [dead], new Outgoing(new RoutedMessage(record.Message), record), (_, r) => delivered.Add(r));
        }

        // To the silo that has its sessions now, and here.
        (await CalledWithAsync("x"))(ReasonCode.Success);
        Assert.Equal([kept], delivered);
        Assert.True(behind.IsRefused);
    }

    public void Dispose() => _others.Dispose();

    private ApplicationMessage Message(string payload, QualityOfService qos) =>
        new([(byte)'a', .. Encoding.UTF8.GetBytes(payload)], 1, 0) { Id = new MessageId(1, ++_ids), Qos = qos };

    private PublishRecord Record(PublisherRecords records)
    {
        var source = new PublishSource(Message("x", QualityOfService.AtLeastOnce)) { Order = records };
        var record = PublishRecord.For(ref source, _store);
        record.Ask();
        return record;
    }

    private void PublishOnce(string payload)
    {
        var source = new PublishSource(Message(payload, QualityOfService.AtMostOnce));
        PublishRecord? record = null;
        _others.Routing.Forward(ref source, ref record);
        Assert.Null(record);
    }

    private Task<ReasonCode> Publish(string payload, PublisherRecords? records)
    {
        var source = new PublishSource(Message(payload, QualityOfService.AtLeastOnce)) { Order = records };
        PublishRecord? record = null;
        Assert.Equal(1, _others.Routing.Forward(ref source, ref record));
        var told = new Told();
        record!.Wait(told);
        record.Seal();
        return told.Outcome;
    }

    private Task<DeliveryOutcome> HoldAsync(string[] messages)
    {
        var answer = new TaskCompletionSource<DeliveryOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls.Writer.TryWrite((messages, answer));
        return answer.Task;
    }

    /// <summary>Waits for the next call, and returns how it is answered.</summary>
    private async Task<Action<ReasonCode>> CalledWithAsync(params string[] messages)
    {
        var call = await CallAsync(messages);
        return reason => call.SetResult(new DeliveryOutcome { Reasons = [.. messages.Select(_ => (byte)reason)] });
    }

    private async Task<TaskCompletionSource<DeliveryOutcome>> CallAsync(params string[] messages)
    {
        var call = await _calls.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(messages, call.Messages);
        return call.Answer;
    }

    private sealed class Told : IPublishWaiter
    {
        private readonly TaskCompletionSource<ReasonCode> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<ReasonCode> Outcome => _outcome.Task.WaitAsync(TimeSpan.FromSeconds(30));

        public void Published(ReasonCode reason) => _outcome.SetResult(reason);
    }
}
