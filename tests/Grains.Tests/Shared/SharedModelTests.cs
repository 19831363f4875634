using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Grains.Tests.SessionRules;
using Broker.Protocol;
using Xunit;
using Xunit.Abstractions;

namespace Broker.Grains.Tests.Shared;

/// <summary>
/// Random histories of one group: members that connect, answer, go and come back, commits, and crashes of the broker. What a
/// publisher was told is received by a member in the end, and at QoS 2, with durable members, by one of them once.
/// </summary>
public sealed class SharedModelTests(ITestOutputHelper output)
{
    private const string Filter = "$share/g/t";
    private const int Histories = 60;
    private const int Steps = 150;

    [Theory]
    [InlineData(QualityOfService.AtLeastOnce, 2, 2, 0)]
    [InlineData(QualityOfService.AtLeastOnce, 1, 3, 60_000)]
    [InlineData(QualityOfService.ExactlyOnce, 3, 0, 0)]
    public async Task What_was_acknowledged_is_received(QualityOfService qos, int durable, int clean, int graceMilliseconds)
    {
        var first = Environment.GetEnvironmentVariable("BROKER_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, System.Globalization.CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        var repeated = 0;
        for (var seed = first; seed < first + Histories; seed++)
        {
            using var history = new History(seed, qos, durable, clean, TimeSpan.FromMilliseconds(graceMilliseconds));
            repeated += await history.RunAsync();
        }

        output.WriteLine($"{Histories} histories from seed {first}: {repeated} messages received more than once");
    }

    private sealed class History(int seed, QualityOfService qos, int durable, int clean, TimeSpan grace) : IDisposable
    {
        private readonly Random _random = new(seed);
        private readonly MemoryRows _rows = new();
        private readonly ModelClient[] _clients = [.. Enumerable.Range(0, durable + clean).Select(static _ => new ModelClient())];
        private readonly (Session Session, ModelClient.Link Link, long Epoch)?[] _connected = new (Session, ModelClient.Link, long)?[durable + clean];
        private readonly Dictionary<int, PublishOutcome> _published = [];
        private ModelBroker _broker = null!;

        public async Task<int> RunAsync()
        {
            Start();
            for (var i = 0; i < durable; i++)
            {
                await ConnectAsync(i);
            }

            for (var step = 0; step < Steps; step++)
            {
                await StepAsync();
            }

            await FinishAsync();
            var counts = _clients.SelectMany(static c => c.Numbers).GroupBy(static n => n).ToDictionary(static g => g.Key, static g => g.Count());
            if (qos == QualityOfService.ExactlyOnce)
            {
                Assert.All(counts, count => Assert.True(count.Value == 1, $"seed {seed}: {count.Key} was received {count.Value} times"));
            }

            return counts.Values.Count(static c => c > 1);
        }

        public void Dispose() => _broker.Dispose();

        private async Task StepAsync()
        {
            var member = _random.Next(_clients.Length);
            switch (_random.Next(20))
            {
                case < 8:
                    var number = _published.Count;
                    _published[number] = new PublishOutcome();
                    _broker.Publish("t", number, qos, _published[number]);
                    break;
                case < 13:
                    _connected[member]?.Link.Answer(_connected[member]!.Value.Session);
                    break;
                case < 15:
                    _broker.Store.Commit();
                    break;
                case < 17:
                    await ConnectAsync(member);
                    break;
                case < 19:
                    Disconnect(member);
                    break;
                default:
                    Array.Clear(_connected);
                    _broker.Dispose();
                    Start();
                    break;
            }
        }

        private void Start() => _broker = new ModelBroker(_rows, new SessionOptions { MaxInflight = 3, MaxQueued = 0, MaxQueuedBytes = 0 }, grace);

        private async Task ConnectAsync(int member)
        {
            Disconnect(member);
            var claim = new SessionClaim
            {
                CleanStart = member >= durable, ExpiryInterval = member < durable ? 3600u : 0, Version = ProtocolVersion.Mqtt311,
            };
            var (session, grant) = await _broker.ConnectAsync($"m{member}", claim);
            var link = _clients[member].Connect(3);
            _connected[member] = (session, link, grant.Epoch);
            Assert.True(session.Attach(link, grant.Epoch, ushort.MaxValue));
            session.Subscribe(Filter, (byte)QualityOfService.ExactlyOnce, 0, out _);
            if (session.IsDurable)
            {
                await _broker.CommitUntilAsync(session.SaveSubscriptionsAsync([Filter]));
            }
        }

        private void Disconnect(int member)
        {
            if (_connected[member] is { } connection)
            {
                _connected[member] = null;
                _broker.Lifecycle.ConnectionEnded(connection.Session, connection.Epoch, EndCause.Lost, null);
            }
        }

        /// <summary>Durable members come back and answer everything.</summary>
        private async Task FinishAsync()
        {
            for (var i = 0; i < durable; i++)
            {
                await ConnectAsync(i);
            }

            await Eventually(() =>
            {
                _broker.Store.Commit();
                foreach (var connection in _connected)
                {
                    while (connection is { Link.OwesNothing: false } busy)
                    {
                        busy.Link.Answer(busy.Session);
                    }
                }

                return Missing().Count == 0;
            }, () => $"seed {seed}: acknowledged and not received: {string.Join(", ", Missing())}");
        }

        private List<int> Missing()
        {
            var received = _clients.SelectMany(static c => c.Numbers).ToHashSet();
            return [.. _published.Where(p => p.Value.Reason == ReasonCode.Success && !received.Contains(p.Key)).Select(static p => p.Key)];
        }

        private static async Task Eventually(Func<bool> condition, Func<string> describe)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            while (!condition())
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), describe());
                await Task.Delay(1);
            }
        }
    }
}
