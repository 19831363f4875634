using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <summary>Short forms for what nearly every test of a store does.</summary>
internal static class StoreTestExtensions
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static TestWrite PostWrite(this IMessageStore store, Action<IStoreBatch> add, bool mustSucceed = false)
    {
        var write = new TestWrite(add, mustSucceed);
        store.Post(write);
        return write;
    }

    public static Task WriteAsync(this IMessageStore store, Action<IStoreBatch> add, bool mustSucceed = false) =>
        store.PostWrite(add, mustSucceed).Done.WaitAsync(Patience);

    public static async Task<RecoveredState> OpenedAsync(this IMessageStore store) =>
        await store.OpenAsync(CancellationToken.None).WaitAsync(Patience);

    public static async Task<List<long>> SequencesAsync(this IMessageStore store, long session) =>
        (await store.LoadDeliveriesAsync(session, CancellationToken.None)).ConvertAll(row => row.Sequence);

    public static async Task<bool> HasMessageAsync(this IMessageStore store, long number) =>
        (await store.LoadMessagesAsync([number], CancellationToken.None)).Count == 1;

    /// <summary>Creates a session with epoch 1.</summary>
    public static async Task<long> NewSessionAsync(this IMessageStore store, string clientId)
    {
        var number = store.NextSessionNumber();
        await store.WriteAsync(batch => batch.PutSession(Session(number, clientId, 1)));
        return number;
    }

    public static SessionRow Session(long number, string clientId, long epoch) =>
        new(number, clientId, epoch, 3600, null, 1_700_000_000_000, ProtocolVersion.Mqtt5);

    public static DeliveryRow Delivery(long session, long sequence, long message) => new(
        session, sequence, message, 100, QualityOfService.AtLeastOnce, false, false, long.MaxValue, []);

    public static ApplicationMessage Message(string payload = "payload", string topic = "a/b", ulong id = 1)
    {
        var topicBytes = Encoding.UTF8.GetBytes(topic);
        return new ApplicationMessage([.. topicBytes, .. Encoding.UTF8.GetBytes(payload)], topicBytes.Length, 0)
        {
            Id = new MessageId(id, 2),
            Qos = QualityOfService.AtLeastOnce,
            Publisher = "publisher",
        };
    }

    /// <summary>Waits, within bounds, for something that another thread brings about.</summary>
    public static async Task EventuallyAsync(Func<bool> condition, string what)
    {
        var deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < deadline, $"Did not happen in {Patience}: {what}");
            await Task.Delay(5);
        }
    }
}
