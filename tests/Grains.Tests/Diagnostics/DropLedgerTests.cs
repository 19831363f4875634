using Broker.Grains.Diagnostics;
using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Xunit;

namespace Broker.Grains.Tests.Diagnostics;

public sealed class DropLedgerTests
{
    [Fact]
    public void Drops_are_counted_by_client_topic_and_reason_and_the_latest_comes_first()
    {
        using var ledger = new DropLedger(TimeProvider.System, new LedgerOptions());
        ledger.Add("a", "t/1"u8, DropReason.QueueFull, 1, new MessageId(1, 2));
        ledger.Add("a", "t/1"u8, DropReason.QueueFull, 2, new MessageId(3, 4));
        ledger.Add("a", "t/1"u8, DropReason.Expired);
        ledger.Add("b", "t/2"u8, DropReason.QueueFull);

        var report = ledger.Find(new DropQuery());

        Assert.Equal(
            [("b", "t/2", "QueueFull", 1L), ("a", "t/1", "Expired", 1L), ("a", "t/1", "QueueFull", 3L)],
            report.Totals.Select(t => (t.ClientId, t.Topic, t.Reason, t.Count)));
        Assert.Equal(new MessageId(3, 4).ToString(), report.Totals[2].LastMessage);
        Assert.Null(report.Totals[0].LastMessage);
        Assert.Equal(4, report.Counts["QueueFull"]);
        Assert.Equal(1, report.Counts["Expired"]);
        Assert.Equal(5, ledger.Total);
    }

    [Theory]
    [InlineData("a", null, null, 2)]
    [InlineData(null, "t/+", null, 2)]
    [InlineData(null, "#", null, 3)]
    [InlineData(null, "u", null, 1)]
    [InlineData(null, null, "expired", 1)]
    [InlineData("a", "t/1", "QueueFull", 1)]
    [InlineData("c", null, null, 0)]
    public void A_question_is_answered_by_what_matches_all_of_it(string? client, string? filter, string? reason, int expected)
    {
        using var ledger = new DropLedger(TimeProvider.System, new LedgerOptions());
        ledger.Add("a", "t/1"u8, DropReason.QueueFull);
        ledger.Add("a", "t/2"u8, DropReason.Expired);
        ledger.Add("b", "u"u8, DropReason.QueueFull);

        var report = ledger.Find(new DropQuery { ClientId = client, Filter = filter, Reason = reason });

        Assert.Equal(expected, report.Totals.Length);
        Assert.False(report.HasMore);
    }

    [Fact]
    public void What_is_longest_without_a_drop_is_forgotten_first_and_stays_counted()
    {
        using var ledger = new DropLedger(TimeProvider.System, new LedgerOptions { MaxEntries = 2 });
        ledger.Add("a", "t"u8, DropReason.QueueFull, 5);
        ledger.Add("b", "t"u8, DropReason.QueueFull, 7);
        ledger.Add("a", "t"u8, DropReason.QueueFull);
        ledger.Add("c", "t"u8, DropReason.QueueFull);

        var report = ledger.Find(new DropQuery());

        Assert.Equal(["c", "a"], report.Totals.Select(t => t.ClientId));
        Assert.Equal(7, report.Forgotten);
        Assert.Equal(14, report.Counts["QueueFull"]);
        Assert.Equal(report.Counts.Values.Sum(), report.Totals.Sum(t => t.Count) + report.Forgotten);
    }

    [Fact]
    public void Memory_is_bounded_whatever_the_topics_are()
    {
        using var ledger = new DropLedger(TimeProvider.System, new LedgerOptions { MaxBytes = 64 << 10 });
        var topic = new byte[4096];
        for (var i = 0; i < 1000; i++)
        {
            topic.AsSpan().Fill((byte)('a' + (i % 26)));
            topic[0] = (byte)('a' + (i / 26));
            ledger.Add($"client {i}", topic, DropReason.SlowConsumer);
        }

        Assert.InRange(ledger.Entries, 1, 16);
        Assert.Equal(1000, ledger.Total);

        // Also of what is remembered one by one: it holds no topic that was forgotten.
        var latest = ledger.Latest();
        Assert.Equal(ledger.Entries, latest.Count);
        Assert.Equal("client 999", latest[^1].ClientId);
    }

    [Fact]
    public void Latest_drops_are_the_last_ones_in_order_with_their_messages()
    {
        using var ledger = new DropLedger(TimeProvider.System, new LedgerOptions());
        for (var i = 0; i < DropLedger.Capacity + 10; i++)
        {
            ledger.Add($"client {i % 3}", "t"u8, DropReason.QueueFull, 1, new MessageId(1, (ulong)i));
        }

        Assert.Equal(
            Enumerable.Range(10, DropLedger.Capacity).Select(static i => ($"client {i % 3}", new MessageId(1, (ulong)i))),
            ledger.Latest().Select(static d => (d.ClientId, d.Message)));
    }

    [Fact]
    public void A_drop_that_is_not_the_first_of_its_kind_allocates_nothing()
    {
        using var ledger = new DropLedger(TimeProvider.System, new LedgerOptions());
        Measure(ledger);

        Assert.Equal(0, Measure(ledger));
    }

    private static long Measure(DropLedger ledger)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            ledger.Add("client", "some/topic"u8, DropReason.SlowConsumer);
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
