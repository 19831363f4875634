using System.Diagnostics;
using System.Globalization;
using Broker.Grains.Options;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres.Schema;
using Orleans.Runtime.MembershipService;

namespace Broker.Gateway.Hosting;

/// <summary>
/// Before the silo of a cluster, whose membership is in the same database: waits until the database answers, and creates or migrates
/// the schema. What waiting does not cure, a wrong password or a missing right, ends the start at once.
/// </summary>
internal static class DatabaseWait
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // Often enough that somebody who looks sees it move.
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    /// <param name="say">Is told every few seconds what is waited for.</param>
    /// <exception cref="StartupException">The database refuses, or has not answered for as long as is waited.</exception>
    public static async Task RunAsync(
        StoreOptions store, WaitingRoom room, Action<FormattableString> say, CancellationToken cancellationToken)
    {
        var limit = EarlierLife.Mine is null ? store.WaitAtStart : TimeSpan.MaxValue;
        await Task.Delay(EarlierLife.Mine?.Pause ?? TimeSpan.Zero, cancellationToken);
        var clock = Stopwatch.StartNew();
        var nextLine = TimeSpan.Zero;
        while (true)
        {
            try
            {
                await SchemaMigration.RunAsync(store.ConnectionString!, cancellationToken);
                return;
            }
            catch (StoreOpenException failure) when (failure.Failure == StoreOpenFailure.Unreachable && clock.Elapsed < limit)
            {
                room.Cause = "waiting for PostgreSQL";
                if (clock.Elapsed >= nextLine)
                {
                    nextLine = clock.Elapsed + LineInterval;
                    say($"waiting for PostgreSQL, {clock.Elapsed.TotalSeconds:F0} s so far{Limit(limit)}: {failure.Message}");
                }
            }
            catch (StoreOpenException failure)
            {
                throw new StartupException(failure.Message, failure);
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }

    /// <summary>
    /// Whether a start has failed because the database, or the way to another silo, went away in the middle: another start may
    /// succeed, when that is there again.
    /// </summary>
    public static bool MayPass(Exception failure) => failure switch
    {
        StoreOpenException open => open.Failure == StoreOpenFailure.Unreachable,
        AggregateException several => several.InnerExceptions.Any(MayPass),
        OrleansClusterConnectivityCheckFailedException => true,
        _ => StoreErrors.IsOutage(failure) || (failure.InnerException is { } inner && MayPass(inner)),
    };

    /// <summary>A line of the log, for the time before there is one.</summary>
    public static void Say(FormattableString line) => LogLineFormatter.WriteNow(LogLevel.Warning, typeof(DatabaseWait), line);

    private static string Limit(TimeSpan limit) =>
        limit == TimeSpan.MaxValue ? "" : string.Create(CultureInfo.InvariantCulture, $" of at most {limit.TotalSeconds:F0} s");
}
