using Broker.Grains.Interfaces.Topics;
using Orleans.Runtime.Services;

namespace Broker.Grains.Topics;

/// <summary>Finds the inbox of a silo by its address; no directory is asked.</summary>
public sealed class InboxClient(IServiceProvider services) : GrainServiceClient<ISiloInbox>(services)
{
    /// <summary>The inbox of <paramref name="silo"/>. Calls fail while the silo starts and once it has stopped.</summary>
    public ISiloInbox Of(SiloAddress silo) => GetGrainService(silo);

    /// <summary>
    /// Asks a silo something that can do without its answer: it may start, stop, die or be frozen until it is found dead, or be of a version that
    /// does not know the question.
    /// </summary>
    /// <param name="inboxOf">How the silo is reached.</param>
    /// <param name="patience">How long it has.</param>
    /// <param name="unanswered">Told why there is no answer.</param>
    /// <returns>The answer; the default of its type when there is none.</returns>
    public static async Task<T?> AskAsync<T>(
        Func<SiloAddress, ISiloInbox> inboxOf,
        SiloAddress silo,
        Func<ISiloInbox, Task<T>> question,
        TimeSpan patience,
        Action<Exception, SiloAddress> unanswered)
    {
        try
        {
            return await question(inboxOf(silo)).WaitAsync(patience);
        }
        catch (Exception error)
        {
            // Whatever it is: who asks goes on with what the others have said.
            unanswered(error, silo);
            return default;
        }
    }
}
