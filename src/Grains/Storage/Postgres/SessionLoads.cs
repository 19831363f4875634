namespace Broker.Grains.Storage.Postgres;

/// <summary>Loads by session: one statement for those that are asked for together.</summary>
internal static class SessionLoads
{
    // Thousands of clients come back at once; each may have a full queue.
    private const int MostSessions = 32;

    /// <param name="load">Rows of all these sessions, those of each in their order.</param>
    /// <param name="parallel">Loads at a time.</param>
    public static Gathering<long, List<T>> Gather<T>(Func<long[], Task<List<(long Session, T Row)>>> load, int parallel)
    {
        return new(MostSessions, AnswerAsync, parallel);

        async Task AnswerAsync(IReadOnlyList<Gathering<long, List<T>>.Asked> batch)
        {
            try
            {
                var rows = (await load([.. batch.Select(static a => a.Item).Distinct()])).ToLookup(static r => r.Session, static r => r.Row);
                foreach (var asked in batch)
                {
                    asked.Set([.. rows[asked.Item]]);
                }
            }
            catch (StoreException) when (batch.Count > 1)
            {
                // Too much for the time that one statement has, maybe: each stands for itself then.
                await Task.WhenAll(batch.Select(static asked => new[] { asked }).Select(AnswerAloneAsync));
            }
        }

        async Task AnswerAloneAsync(Gathering<long, List<T>>.Asked[] one)
        {
            try
            {
                await AnswerAsync(one);
            }
            catch (Exception error)
            {
                one[0].Fail(error);
            }
        }
    }
}
