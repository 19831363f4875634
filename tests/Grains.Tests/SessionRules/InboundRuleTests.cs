using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

/// <summary>QoS 2 from the client: routed once, remembered until PUBREL (MQTT section 4.3.3).</summary>
public sealed class InboundRuleTests
{
    [Fact]
    public async Task Second_PUBLISH_with_the_same_id_is_a_duplicate_until_PUBREL()
    {
        using var one = await SessionFixture.StartAsync(durable: false);
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 7, out _, out _));
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 7, out _, out _));

        Assert.True(one.Session.ReleaseInbound(one.Epoch, 7, static () => { }));
        Assert.False(one.Session.ReleaseInbound(one.Epoch, 7, static () => { }));
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 7, out _, out _));
    }

    [Fact]
    public async Task Refused_PUBLISH_is_not_a_duplicate_when_it_comes_again()
    {
        using var one = await SessionFixture.StartAsync();
        one.Session.BeginInbound(one.Epoch, 7, out _, out _);
        one.Session.CancelInbound(one.Epoch, 7);
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 7, out _, out _));
    }

    [Fact]
    public async Task MaxAwaitingRel_ids_wait_and_no_more()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { MaxAwaitingRel = 2 }, durable: false);
        one.Session.BeginInbound(one.Epoch, 1, out _, out _);
        one.Session.BeginInbound(one.Epoch, 2, out _, out _);
        Assert.Equal(InboundStatus.TooMany, one.Session.BeginInbound(one.Epoch, 3, out _, out _));
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 2, out _, out _));
    }

    [Fact]
    public async Task Id_is_forgotten_after_AwaitRelTimeout_when_its_place_is_needed()
    {
        var options = new SessionOptions { MaxAwaitingRel = 1, AwaitRelTimeout = TimeSpan.FromMilliseconds(1) };
        using var one = await SessionFixture.StartAsync(options, durable: false);
        one.Session.BeginInbound(one.Epoch, 1, out _, out _);
        LetTimePass();

        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 2, out _, out _));
    }

    [Fact]
    public async Task Id_that_is_repeated_is_not_forgotten_however_old_it_is_and_however_full_the_table()
    {
        var options = new SessionOptions { MaxAwaitingRel = 1, AwaitRelTimeout = TimeSpan.FromMilliseconds(1) };
        using var one = await SessionFixture.StartAsync(options, durable: false);
        one.Session.BeginInbound(one.Epoch, 1, out _, out _);
        LetTimePass();

        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 1, out _, out _));
    }

    [Fact]
    public async Task Time_of_an_id_begins_anew_with_each_repetition()
    {
        var options = new SessionOptions { MaxAwaitingRel = 1, AwaitRelTimeout = TimeSpan.FromSeconds(3) };
        using var one = await SessionFixture.StartAsync(options, durable: false);
        one.Session.BeginInbound(one.Epoch, 1, out _, out _);
        LetTimePass(2_000);
        Assert.True(one.Session.IsDuplicate(one.Epoch, 1, out _));
        LetTimePass(1_100);

        one.Session.IsDuplicate(one.Epoch, 1, out _, isNew: true);
        Assert.Equal(InboundStatus.TooMany, one.Session.BeginInbound(one.Epoch, 2, out _, out _));
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 1, out _, out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Id_is_free_for_another_message_after_AwaitRelTimeout_and_not_before(bool durable)
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { AwaitRelTimeout = TimeSpan.FromMilliseconds(1) }, durable);
        using var patient = await SessionFixture.StartAsync(durable: durable);
        foreach (var fixture in (SessionFixture[])[one, patient])
        {
            Publish(fixture, 7);
            fixture.Commit();
        }

        LetTimePass();

        // Said to be a repetition.
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 7, out _, out _));

        LetTimePass();
        one.Session.IsDuplicate(one.Epoch - 1, 7, out _, isNew: true);
        Assert.True(one.Session.IsDuplicate(one.Epoch, 7, out _));

        LetTimePass();
        one.Session.IsDuplicate(one.Epoch, 7, out _, isNew: true);
        patient.Session.IsDuplicate(patient.Epoch, 7, out _, isNew: true);
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 7, out _, out _));
        Assert.Equal(InboundStatus.Duplicate, patient.Session.BeginInbound(patient.Epoch, 7, out _, out _));
    }

    [Fact]
    public async Task Refusal_waits_for_the_end_of_the_row_of_a_former_message_with_the_id_and_for_no_other()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { AwaitRelTimeout = TimeSpan.FromMilliseconds(1) });
        Publish(one, 7);
        one.Commit();
        LetTimePass();
        one.Session.IsDuplicate(one.Epoch, 7, out _, isNew: true);

        // Of a message that was not routed, and of one whose commit failed.
        var refused = new List<int>();
        one.Session.RefuseInbound(one.Epoch, 7, () => refused.Add(7));
        one.Session.RefuseInbound(one.Epoch, 7, () => refused.Add(77));
        one.Session.RefuseInbound(one.Epoch, 8, () => refused.Add(8));
        Assert.Equal([8], refused);

        one.Commit();
        Assert.Equal([8, 7, 77], refused);
        Assert.Empty(one.Rows.Inbound);
        one.Session.RefuseInbound(one.Epoch, 7, () => refused.Add(777));
        Assert.Equal([8, 7, 77, 777], refused);
    }

    [Fact]
    public async Task Id_that_was_freed_and_taken_again_is_durable_for_the_message_that_has_it_now()
    {
        using var one = await SessionFixture.StartAsync(new SessionOptions { AwaitRelTimeout = TimeSpan.FromMilliseconds(1) });
        Publish(one, 7);
        one.Commit();
        LetTimePass();

        // Refused: nothing of either message is left.
        one.Session.IsDuplicate(one.Epoch, 7, out _, isNew: true);
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 7, out _, out _));
        one.Session.CancelInbound(one.Epoch, 7);
        one.Commit();
        Assert.Empty(one.Rows.Inbound);

        Publish(one, 7);
        LetTimePass();
        one.Session.IsDuplicate(one.Epoch, 7, out _, isNew: true);
        Assert.True(one.Session.IsDuplicate(one.Epoch, 7, out _));
        one.Commit();
        LetTimePass();
        one.Session.IsDuplicate(one.Epoch, 7, out _, isNew: true);
        Publish(one, 7);
        one.Commit();
        Assert.Single(one.Rows.Inbound);
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 7, out _, out _));
    }

    [Fact]
    public async Task Id_that_is_in_doubt_or_whose_PUBREL_is_under_way_is_not_forgotten_however_old_it_is()
    {
        using var before = await SessionFixture.StartAsync();
        before.Rows.PutInboundId(before.Session.Number, 7, new MessageId(17, 4));
        before.Rows.PutInboundId(before.Session.Number, 8);
        var options = new SessionOptions { AwaitRelTimeout = TimeSpan.FromMilliseconds(1), MaxAwaitingRel = 2 };
        using var one = SessionFixture.Restart(before, options);
        await one.Broker.CommitUntilAsync(one.Session.LoadAsync(CancellationToken.None));
        one.Session.ReleaseInbound(one.Epoch, 8, static () => { });
        LetTimePass();

        Assert.Equal(InboundStatus.TooMany, one.Session.BeginInbound(one.Epoch, 9, out _, out _));
        one.Session.IsDuplicate(one.Epoch, 7, out _, isNew: true);
        one.Session.IsDuplicate(one.Epoch, 8, out _, isNew: true);
        Assert.Equal(InboundStatus.Repeat, one.Session.BeginInbound(one.Epoch, 7, out _, out _));
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 8, out _, out _));
    }

    [Fact]
    public async Task PUBCOMP_of_a_durable_session_waits_for_the_commit_however_often_PUBREL_comes()
    {
        using var one = await SessionFixture.StartAsync();
        one.Session.BeginInbound(one.Epoch, 7, out _, out _);
        var completed = 0;
        Assert.True(one.Session.ReleaseInbound(one.Epoch, 7, () => completed++));
        Assert.True(one.Session.ReleaseInbound(one.Epoch, 7, () => completed++));
        Assert.Equal(0, completed);

        one.Commit();
        Assert.Equal(1, completed);
        Assert.False(one.Session.ReleaseInbound(one.Epoch, 7, static () => { }));
    }

    [Fact]
    public async Task PUBLISH_that_other_silos_may_have_missed_is_a_repetition_under_its_first_id()
    {
        using var before = await SessionFixture.StartAsync();
        var id = new MessageId(17, 4);
        before.Rows.PutInboundId(before.Session.Number, 7, id);
        before.Rows.PutInboundId(before.Session.Number, 8);
        using var one = SessionFixture.Restart(before);
        await one.Broker.CommitUntilAsync(one.Session.LoadAsync(CancellationToken.None));

        Assert.Equal(InboundStatus.Repeat, one.Session.BeginInbound(one.Epoch, 7, out _, out var inDoubt));
        Assert.Equal(id, inDoubt);
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 8, out _, out _));
    }

    [Fact]
    public async Task Repetition_that_has_reached_everybody_is_a_duplicate_and_one_that_was_refused_is_not()
    {
        using var before = await SessionFixture.StartAsync();
        before.Rows.PutInboundId(before.Session.Number, 7, new MessageId(17, 4));
        using var one = SessionFixture.Restart(before);
        await one.Broker.CommitUntilAsync(one.Session.LoadAsync(CancellationToken.None));

        Repeat(ReasonCode.UnspecifiedError);
        Assert.Equal(InboundStatus.Repeat, one.Session.BeginInbound(one.Epoch, 7, out _, out _));
        Repeat(ReasonCode.Success);
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 7, out _, out _));

        void Repeat(ReasonCode answer)
        {
            var message = ModelMessage.Of("t", 1, QualityOfService.ExactlyOnce, default).As(new MessageId(17, 4));
            var record = new PublishRecord(message, 1, one.Broker.Store);
            one.Session.SetInboundRecord(one.Epoch, 7, record);
            record.Ask();
            record.Seal();
            Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 7, out var earlier, out _));
            Assert.Same(record, earlier);
            record.Answered(answer);
        }
    }

    [Fact]
    public async Task Refused_PUBLISH_that_has_been_to_other_silos_stays_open_and_one_that_has_not_does_not()
    {
        using var one = await SessionFixture.StartAsync();
        foreach (var (packetId, mayRepeat) in new[] { ((ushort)7, true), ((ushort)8, false) })
        {
            Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, packetId, out _, out _));
            var message = ModelMessage.Of("t", packetId, QualityOfService.ExactlyOnce, new MessageId(17, packetId));
            var record = new PublishRecord(mayRepeat ? message.As(message.Id) : message, packetId, one.Broker.Store);
            one.Session.SetInboundRecord(one.Epoch, packetId, record);
            record.Ask();
            record.Seal();
            record.Answered(ReasonCode.ImplementationSpecificError);
            Assert.Equal(mayRepeat, one.Session.HasBeenElsewhere(packetId));
        }

        Assert.Equal(InboundStatus.Repeat, one.Session.BeginInbound(one.Epoch, 7, out _, out _));
        Assert.True(one.Session.HasBeenElsewhere(7));
    }

    [Fact]
    public async Task Refusal_of_a_routed_PUBLISH_is_told_when_its_id_is_free_in_the_store()
    {
        using var before = await SessionFixture.StartAsync();
        before.Rows.PutInboundId(before.Session.Number, 7, new MessageId(17, 4));
        using var one = SessionFixture.Restart(before);
        await one.Broker.CommitUntilAsync(one.Session.LoadAsync(CancellationToken.None));

        var told = 0;
        one.Session.RefuseInbound(one.Epoch, 7, () => told++);
        Assert.Equal(0, told);
        one.Commit();

        Assert.Equal(1, told);
        Assert.Empty(one.Rows.Inbound);
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 7, out _, out _));
    }

    [Fact]
    public async Task PUBLISH_in_the_hands_of_a_connection_that_was_taken_over_is_not_noted_and_its_id_stays_free()
    {
        using var one = await SessionFixture.StartAsync();
        var earlier = one.Epoch;
        await one.ReconnectAsync();

        // The client repeats it on its new connection, and comes to PUBCOMP.
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 5, out _, out _));
        Assert.True(one.Session.ReleaseInbound(one.Epoch, 5, static () => { }));
        one.Commit();

        Assert.Equal(InboundStatus.Superseded, one.Session.BeginInbound(earlier, 5, out _, out _));
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 5, out _, out _));
    }

    [Fact]
    public async Task PUBREL_in_the_hands_of_a_connection_that_was_taken_over_does_not_free_the_id_of_the_next_message()
    {
        using var one = await SessionFixture.StartAsync();
        var earlier = one.Epoch;
        await one.ReconnectAsync();
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 5, out _, out _));
        Assert.True(one.Session.SetInboundRecord(one.Epoch, 5, NewRecord(one)));

        var told = 0;
        Assert.True(one.Session.ReleaseInbound(earlier, 5, () => told++));
        one.Session.RefuseInbound(earlier, 5, static () => { });
        one.Session.CancelInbound(earlier, 5);
        one.Commit();
        Assert.Equal(0, told);
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 5, out _, out _));
    }

    [Fact]
    public async Task PUBLISH_that_was_noted_and_not_routed_before_a_takeover_is_routed_by_the_new_connection_only()
    {
        using var one = await SessionFixture.StartAsync();
        var earlier = one.Epoch;
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(earlier, 5, out _, out _));
        await one.ReconnectAsync();

        Assert.False(one.Session.SetInboundRecord(earlier, 5, NewRecord(one)));
        Assert.False(one.Session.IsDuplicate(one.Epoch, 5, out _));
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 5, out _, out _));
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 5, out _, out _));
    }

    [Fact]
    public async Task PUBLISH_that_was_being_routed_at_a_takeover_is_a_duplicate_that_waits_for_its_outcome()
    {
        using var one = await SessionFixture.StartAsync();
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, 5, out _, out _));
        var record = NewRecord(one);
        Assert.True(one.Session.SetInboundRecord(one.Epoch, 5, record));
        await one.ReconnectAsync();

        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 5, out var routed, out _));
        Assert.Same(record, routed);
    }

    [Fact]
    public async Task Repetition_that_was_given_up_is_one_still_and_not_that_of_who_has_begun_it_anew()
    {
        using var before = await SessionFixture.StartAsync();
        before.Rows.PutInboundId(before.Session.Number, 7, new MessageId(17, 4));
        using var one = SessionFixture.Restart(before);
        await one.Broker.CommitUntilAsync(one.Session.LoadAsync(CancellationToken.None));

        var (givenUp, anew) = (NewRecord(one), NewRecord(one));
        Assert.True(one.Session.SetInboundRecord(one.Epoch, 7, givenUp));
        one.Session.ForgetInboundRecord(7, givenUp);
        Assert.Equal(InboundStatus.Repeat, one.Session.BeginInbound(one.Epoch, 7, out _, out _));

        Assert.True(one.Session.SetInboundRecord(one.Epoch, 7, anew));
        one.Session.ForgetInboundRecord(7, givenUp);
        Assert.Equal(InboundStatus.Duplicate, one.Session.BeginInbound(one.Epoch, 7, out var routed, out _));
        Assert.Same(anew, routed);
    }

    [Fact]
    public async Task SUBSCRIBE_and_UNSUBSCRIBE_in_the_hands_of_a_connection_that_was_taken_over_change_nothing()
    {
        using var one = await SessionFixture.StartAsync();
        var earlier = one.Epoch;
        await one.ReconnectAsync();

        Assert.Null(one.Session.Subscribe("more", 0, 0, out _, earlier));
        Assert.False(one.Session.Unsubscribe("#", earlier));
        Assert.Equal(["#"], one.Session.Subscriptions.Select(static s => s.Filter));
        Assert.NotNull(one.Session.Subscribe("more", 0, 0, out _, one.Epoch));
        Assert.True(one.Session.Unsubscribe("#", one.Epoch));
    }

    /// <summary>A QoS 2 publish of the client, which it has no outcome for before the next commit when its session is durable.</summary>
    private static void Publish(SessionFixture one, ushort packetId)
    {
        Assert.Equal(InboundStatus.New, one.Session.BeginInbound(one.Epoch, packetId, out _, out _));
        if (!one.Session.IsDurable)
        {
            return;
        }

        var record = NewRecord(one);
        record.RememberInbound(one.Session, packetId);
        Assert.True(one.Session.SetInboundRecord(one.Epoch, packetId, record));
        record.Seal();
        record.Post();
    }

    private static void LetTimePass(int milliseconds = 50)
    {
        var begun = Environment.TickCount64;
        SpinWait.SpinUntil(() => Environment.TickCount64 > begun + milliseconds);
    }

    private static PublishRecord NewRecord(SessionFixture one) =>
        new(ModelMessage.Of("t", 1, QualityOfService.ExactlyOnce, new MessageId(17, 4)), 1, one.Broker.Store);
}
