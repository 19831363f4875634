using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Protocol;
using Xunit;
using Xunit.Abstractions;

namespace Broker.Grains.Tests.SessionModel;

/// <summary>
/// Random histories of publishes, acknowledgements, lost connections, commits, commits that fail whole or in part, and crashes
/// against the real session, router and lifecycle: whatever happens, promises 1 to 3 hold for a durable subscriber. The publisher
/// is one of 3.x that is refused by the end of its connection, and sends again what was not acknowledged.
/// </summary>
public sealed class SessionModelTests(ITestOutputHelper output)
{
    private const int Histories = 300;
    private const int Steps = 120;
    private const int Window = 7;

    [Theory]
    [InlineData(0)]
    [InlineData(3_600_000)]
    public async Task Acknowledged_messages_arrive_in_order_and_qos_2_once_through_crashes(int graceMilliseconds)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("BROKER_MODEL_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"seed {seed} (BROKER_MODEL_SEED repeats it)");
        for (var history = 0; history < Histories; history++)
        {
            using var run = new History(new Random(seed + history), TimeSpan.FromMilliseconds(graceMilliseconds));
            await run.RunAsync(Steps);
            run.Check($"seed {seed}, history {history}");
        }
    }

    private sealed class History(Random random, TimeSpan grace) : IDisposable
    {
        private static readonly SessionOptions Options = new()
        {
            MaxInflight = Window,
            MaxQueued = 0,
            MaxQueuedBytes = 0,
            RetryInterval = TimeSpan.Zero,
        };

        private readonly MemoryRows _rows = new();
        private readonly ModelClient _client = new();
        private readonly HashSet<(string Topic, int Number)> _acknowledged = [];
        private readonly List<int> _unacknowledged = [];
        private PublisherRecords _publisher = new();
        private bool _isRefused;
        private ModelBroker _broker = null!;
        private Session _session = null!;
        private ModelClient.Link? _link;
        private long _epoch;
        private int _published;

        public async Task RunAsync(int steps)
        {
            _broker = new ModelBroker(_rows, Options, grace);
            Assert.False(await ConnectAsync());
            _session.Subscribe("t/#", (byte)QualityOfService.ExactlyOnce, 0, out _);
            await _broker.CommitUntilAsync(_session.SaveSubscriptionsAsync(["t/#"]));
            for (var step = 0; step < steps; step++)
            {
                await StepAsync();
            }

            await DrainAsync();
        }

        public void Dispose() => _broker.Dispose();

        public void Check(string what)
        {
            foreach (var (topic, number) in _acknowledged)
            {
                Assert.True(_client.Delivered.Exists(d => d.Topic == topic && d.Number == number), $"{what}: {topic} {number} is lost");
            }

            var once = _client.Delivered.Where(d => d.Qos == QualityOfService.ExactlyOnce).ToList();
            Assert.True(once.Count == once.Distinct().Count(), $"{what}: a QoS 2 message came twice");
            foreach (var stream in _client.Delivered.GroupBy(d => (d.Topic, d.Qos)))
            {
                var first = stream.Select(d => d.Number).Distinct().ToList();
                Assert.True(first.SequenceEqual(first.Order()), $"{what}: {stream.Key} out of order: {string.Join(' ', first)}");
            }

            Assert.Empty(_rows.Deliveries);
            Assert.Empty(_rows.Messages);
        }

        private async Task StepAsync()
        {
            switch (random.Next(100))
            {
                case < 45:
                    Publish();
                    break;
                case < 75:
                    _link?.Answer(_session);
                    break;
                case < 88:
                    _broker.Store.Commit();
                    break;
                case < 91:
                    _broker.Store.Fail(random.Next(2) == 0 ? int.MaxValue : random.Next(1, 4));
                    break;
                case < 94:
                    LoseConnection();
                    break;
                case < 98:
                    Assert.True(await ConnectAsync());
                    break;
                default:
                    Crash();
                    break;
            }
        }

        private void Publish()
        {
            // What lay in the socket when its connection was closed is still read now and then.
            if (_isRefused && random.Next(3) > 0)
            {
                Repeat();
            }

            // A topic for each QoS: order is promised for one publisher, topic and QoS.
            var qos = (QualityOfService)random.Next(1, 3);
            Publish(qos, ++_published);
        }

        /// <summary>The next connection of the publisher. A QoS 2 message that was refused is a new one without a session: it is left out.</summary>
        private void Repeat()
        {
            _publisher = new PublisherRecords();
            _isRefused = false;
            foreach (var number in _unacknowledged.ToList())
            {
                Publish(QualityOfService.AtLeastOnce, number);
            }
        }

        private void Publish(QualityOfService qos, int number)
        {
            var topic = $"t/{(int)qos}";
            var from = _publisher;
            if (qos == QualityOfService.AtLeastOnce && !_unacknowledged.Contains(number))
            {
                _unacknowledged.Add(number);
            }

            _broker.Publish(topic, number, qos, new Waiter(Acknowledged, Refused), from);

            void Acknowledged()
            {
                _acknowledged.Add((topic, number));
                _unacknowledged.Remove(number);
            }

            void Refused() => _isRefused |= from == _publisher;
        }

        private void LoseConnection()
        {
            if (_link is not null)
            {
                _link = null;
                _broker.Lifecycle.ConnectionEnded(_session, _epoch, EndCause.Lost, null);
            }
        }

        /// <summary>True when the session was present.</summary>
        private async Task<bool> ConnectAsync()
        {
            var old = _link;
            var (session, grant) = await _broker.ConnectAsync("subscriber");
            Assert.True(old is null || old.IsClosed);
            _session = session;
            _epoch = grant.Epoch;
            _link = _client.Connect(Window);
            Assert.True(session.Attach(_link, grant.Epoch, ushort.MaxValue));
            return grant.SessionPresent;
        }

        private void Crash()
        {
            _broker.Dispose();
            _link = null;
            _broker = new ModelBroker(_rows, Options, grace);
            _session = _broker.Sessions.Find("subscriber")!;
            Repeat();
        }

        private async Task DrainAsync()
        {
            await ConnectAsync();
            do
            {
                _link!.Answer(_session);
                _broker.Store.Commit();
            }
            while (!_link.OwesNothing || _broker.Store.Pending > 0);
        }

        private sealed class Waiter(Action acknowledged, Action refused) : IPublishWaiter
        {
            public void Published(ReasonCode reason)
            {
                if (reason == ReasonCode.Success)
                {
                    acknowledged();
                }
                else
                {
                    refused();
                }
            }
        }
    }
}
