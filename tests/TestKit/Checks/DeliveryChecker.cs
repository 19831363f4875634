namespace Broker.TestKit.Checks;

/// <summary>
/// Compares what publishers were promised with what subscribers got. Numbers of a publisher start at 0 and have no gap.
/// A message that was never acknowledged may arrive or not; one that was has to.
/// </summary>
/// <param name="isExactlyOnce">Whether messages of a publisher may arrive once only.</param>
public sealed class DeliveryChecker(int publishers, int subscribers, Func<int, bool> isExactlyOnce)
{
    // 20 lines: the pattern shows, the log stays readable.
    private const int DetailLimit = 20;

    private readonly Lock _gate = new();
    private readonly HashSet<int>[] _acknowledged = [.. Enumerable.Range(0, publishers).Select(_ => new HashSet<int>())];
    private readonly SubscriberRecord[] _received =
        [.. Enumerable.Range(0, subscribers).Select(_ => new SubscriberRecord(publishers))];

    private readonly List<(int First, int Last)>[] _refused =
        [.. Enumerable.Range(0, publishers).Select(_ => new List<(int, int)>())];

    private readonly List<string> _details = [];
    private int _duplicated;
    private int _reordered;
    private int _wrongSessionPresent;

    public DeliveryChecker(int publishers, int subscribers, bool isExactlyOnce)
        : this(publishers, subscribers, _ => isExactlyOnce)
    {
    }

    public int AcknowledgedCount
    {
        get
        {
            lock (_gate)
            {
                return _acknowledged.Sum(numbers => numbers.Count);
            }
        }
    }

    /// <summary>Everything that was acknowledged so far.</summary>
    public IReadOnlyList<Sequence> AcknowledgedMessages
    {
        get
        {
            lock (_gate)
            {
                return [.. _acknowledged.SelectMany(static (numbers, publisher) => numbers.Select(number => new Sequence(publisher, number)))];
            }
        }
    }

    public void Acknowledged(Sequence message)
    {
        lock (_gate)
        {
            _acknowledged[message.Publisher].Add(message.Number);
        }
    }

    /// <summary>
    /// A publisher of MQTT 5.0 was refused, and sends again everything from <paramref name="first"/> to <paramref name="last"/>, which it had open
    /// then. Some of that may have been accepted after the refusal, before the publisher knew of it: order is then that of what was accepted
    /// (docs/guarantees.md, 3), and these may come in any order among themselves.
    /// </summary>
    public void Refused(int publisher, int first, int last)
    {
        lock (_gate)
        {
            _refused[publisher].Add((first, last));
        }
    }

    /// <summary>
    /// A delivery that the subscriber has to act on. At QoS 1 a message may come again, because the publisher or the
    /// broker repeats what was not acknowledged; at QoS 2 it may not.
    /// </summary>
    public void Delivered(int subscriber, Sequence message)
    {
        lock (_gate)
        {
            var record = _received[subscriber];
            if (!record.Seen[message.Publisher].Add(message.Number))
            {
                if (isExactlyOnce(message.Publisher))
                {
                    _duplicated++;
                    Detail($"subscriber {subscriber} got {message} again");
                }

                return;
            }

            // First deliveries come in publish order; a repetition says nothing about order [MQTT-4.6.0-6].
            var last = record.Last[message.Publisher];
            if (message.Number < last && !_refused[message.Publisher].Exists(open => open.First <= message.Number && last <= open.Last))
            {
                _reordered++;
                Detail($"subscriber {subscriber} got {message} after {last}");
            }

            record.Last[message.Publisher] = message.Number;
        }
    }

    public void SessionPresent(string client, bool expected, bool actual)
    {
        lock (_gate)
        {
            if (expected != actual)
            {
                _wrongSessionPresent++;
                Detail($"{client} got Session Present {actual}");
            }
        }
    }

    /// <summary>True when every subscriber has everything that was acknowledged.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_gate)
            {
                return _received.All(record => _acknowledged.Zip(record.Seen).All(pair => pair.First.IsSubsetOf(pair.Second)));
            }
        }
    }

    public DeliveryReport Report()
    {
        lock (_gate)
        {
            var lost = 0;
            var details = new List<string>(_details);
            for (var subscriber = 0; subscriber < subscribers; subscriber++)
            {
                for (var publisher = 0; publisher < publishers; publisher++)
                {
                    var missing = _acknowledged[publisher].Except(_received[subscriber].Seen[publisher]).Order().ToList();
                    lost += missing.Count;
                    if (missing.Count > 0)
                    {
                        details.Add($"subscriber {subscriber} misses {missing.Count} of publisher {publisher}, first {missing[0]}");
                    }
                }
            }

            return new DeliveryReport(
                _acknowledged.Sum(numbers => numbers.Count), lost, _duplicated, _reordered, _wrongSessionPresent, [.. details.Take(DetailLimit)]);
        }
    }

    private void Detail(string text)
    {
        if (_details.Count < DetailLimit)
        {
            _details.Add(text);
        }
    }

    private sealed class SubscriberRecord(int publishers)
    {
        public HashSet<int>[] Seen { get; } = [.. Enumerable.Range(0, publishers).Select(_ => new HashSet<int>())];

        public int[] Last { get; } = [.. Enumerable.Repeat(-1, publishers)];
    }
}
