using System.Net;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Tests.Cluster;
using Broker.Grains.Topics;
using Xunit;

namespace Broker.Grains.Tests.Topics;

/// <summary>Questions to other silos that can do without an answer.</summary>
public sealed class InboxClientTests
{
    private static readonly SiloAddress Silo = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly List<(Type Cause, SiloAddress Silo)> _unanswered = [];

    [Fact]
    public async Task Answer_is_given_on()
    {
        Assert.Equal(7, await AskAsync(static _ => new RecordingInbox(), static _ => Task.FromResult<int?>(7), Limit));
        Assert.Empty(_unanswered);
    }

    /// <summary>It has no inbox yet, the call is refused, the call fails, or the time is over.</summary>
    [Fact]
    public async Task Silo_that_does_not_answer_costs_its_patience_and_nothing_else()
    {
        Assert.Null(await AskAsync(static _ => throw new InvalidOperationException("It starts."), static _ => Task.FromResult<int?>(7), Limit));
        Assert.Null(await AskAsync(static _ => new RecordingInbox(), static async inbox => await inbox.Connections(), Limit));
        Assert.Null(await AskAsync(
            static _ => new RecordingInbox(), static _ => Task.FromException<int?>(new IOException("It dies.")), Limit));
        Assert.Null(await AskAsync(
            static _ => new RecordingInbox(), static _ => new TaskCompletionSource<int?>().Task, TimeSpan.FromMilliseconds(20)));

        Assert.Equal(
            [typeof(InvalidOperationException), typeof(NotSupportedException), typeof(IOException), typeof(TimeoutException)],
            _unanswered.Select(static u => u.Cause));
        Assert.All(_unanswered, static u => Assert.Equal(Silo, u.Silo));
    }

    private Task<int?> AskAsync(Func<SiloAddress, ISiloInbox> inboxOf, Func<ISiloInbox, Task<int?>> question, TimeSpan patience) =>
        InboxClient.AskAsync(inboxOf, Silo, question, patience, (error, silo) => _unanswered.Add((error.GetType(), silo)));
}
