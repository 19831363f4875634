using System.Net;
using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Cluster;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

/// <summary>What a silo tells another of its interest, through calls that fail and a silo that goes.</summary>
public sealed class LocalInterestTests
{
    private static readonly SiloAddress Silo = SiloAddress.New(IPAddress.Loopback, 1, 1);

    private readonly LocalInterest _interest = new() { IsEnabled = true };
    private readonly Told _told = new();

    [Fact]
    public async Task Only_the_first_subscriber_of_a_filter_and_the_end_of_the_last_are_told()
    {
        Add();
        _interest.Added("a");
        _interest.Added("a");
        _interest.Removed("a");
        await AnnouncedAsync();
        Assert.Equal(["a"], _told.Filters);

        _interest.Removed("a");
        await AnnouncedAsync();
        Assert.Empty(_told.Filters);
        Assert.Equal(0, _interest.Count);
    }

    [Fact]
    public async Task Announced_waits_for_the_answer_and_a_call_that_fails_is_made_good()
    {
        Add();
        var answer = new TaskCompletionSource();
        _told.Answer = () => answer.Task;
        _interest.Added("a");
        var announced = _interest.AnnouncedAsync();
        await Task.Delay(50);
        Assert.False(announced.IsCompleted);

        _told.Answer = () => Task.CompletedTask;
        answer.SetException(new TimeoutException("The test lets the call fail."));
        await announced.WaitAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(["a"], _told.Filters);
        Assert.Equal(2, _told.Calls);
    }

    [Fact]
    public async Task What_changed_since_a_call_that_failed_is_not_undone_by_its_repetition()
    {
        Add();
        var answer = new TaskCompletionSource();
        _told.Answer = () => answer.Task;
        _interest.Added("a");
        await Task.Delay(50);
        _interest.Removed("a");
        _told.Answer = () => Task.CompletedTask;
        answer.SetException(new TimeoutException("The test lets the call fail."));

        await AnnouncedAsync();
        Assert.Empty(_told.Filters);
    }

    [Fact]
    public async Task A_new_silo_is_told_everything_and_when_it_knows_all()
    {
        var filters = Enumerable.Range(0, 12_000).Select(static i => $"f/{i}").ToList();
        filters.ForEach(_interest.Added);
        Add();
        await AnnouncedAsync();
        Assert.Equal(filters.Order(), _told.Filters.Order());
        Assert.False(_told.IsComplete);

        _interest.Ready();
        await AnnouncedAsync();
        Assert.True(_told.IsComplete);
        Assert.True(_told.Calls >= 3);
    }

    [Fact]
    public async Task Nobody_waits_for_a_silo_that_is_gone()
    {
        var sender = Add();
        _told.Answer = () => new TaskCompletionSource().Task;
        _interest.Added("a");
        var announced = _interest.AnnouncedAsync();

        _interest.Remove(sender);

        await announced.WaitAsync(TimeSpan.FromSeconds(10));
        await AnnouncedAsync();
    }

    private InterestSender Add()
    {
        var sender = new InterestSender(Silo, _told.TakeAsync, TimeProvider.System);
        _interest.Add(sender);
        return sender;
    }

    private Task AnnouncedAsync() => _interest.AnnouncedAsync().WaitAsync(TimeSpan.FromSeconds(10));

    /// <summary>The other silo: it takes what a call says when the call succeeds.</summary>
    private sealed class Told
    {
        private readonly HashSet<string> _filters = [];
        private long _number;

        public Func<Task> Answer { get; set; } = static () => Task.CompletedTask;

        public int Calls { get; private set; }

        public bool IsComplete { get; private set; }

        public IEnumerable<string> Filters => _filters;

        public async Task TakeAsync(InterestUpdate update)
        {
            Calls++;
            await Answer();
            Assert.True(update.Number > _number);
            _number = update.Number;
            _filters.UnionWith(update.Added);
            _filters.ExceptWith(update.Removed);
            IsComplete |= update.IsComplete;
        }
    }
}
