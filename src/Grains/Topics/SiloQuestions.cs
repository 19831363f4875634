using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Topics;

/// <summary>Asks silos what a person wants to know, in bounded time and without those that do not answer.</summary>
public sealed class SiloQuestions(LiveSilos silos, InboxClient inboxes, TopicLog log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Asks every silo.</summary>
    /// <param name="here">The answer of this one.</param>
    /// <param name="there">What another one is asked.</param>
    /// <returns>Each silo with its answer, in order; null for one that does not answer.</returns>
    public async Task<IReadOnlyList<(SiloAddress Silo, T? Answer)>> AskAllAsync<T>(Func<T> here, Func<ISiloInbox, Task<T>> there) =>
        await Task.WhenAll(silos.All.Order().Select(async silo => (silo, await AskAsync(silo, here, there))));

    /// <summary>Asks every silo but this one.</summary>
    /// <returns>The answers; null for one that does not answer.</returns>
    public Task<T?[]> AskOthersAsync<T>(Func<ISiloInbox, Task<T>> question) =>
        Task.WhenAll(silos.All.Where(silo => !silo.Equals(silos.Local)).Order().Select(silo => AskAsync(silo, question)));

    /// <summary>Asks one silo, which may be this one; null when it does not answer.</summary>
    public Task<T?> AskAsync<T>(SiloAddress silo, Func<T> here, Func<ISiloInbox, Task<T>> there) =>
        silo.Equals(silos.Local) ? Task.FromResult<T?>(here()) : AskAsync(silo, there);

    private Task<T?> AskAsync<T>(SiloAddress silo, Func<ISiloInbox, Task<T>> question) =>
        InboxClient.AskAsync(inboxes.Of, silo, question, Patience, log.ReportNotAnswered);
}
