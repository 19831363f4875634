using Broker.Grains.Storage;
using Xunit;
using static Broker.Grains.Tests.Storage.StoreTestExtensions;

namespace Broker.Grains.Tests.Storage;

/// <summary>Promise 4 between two silos: the store decides who owns a session, whoever believes what.</summary>
public sealed class PostgresFencingTests
{
    private const int Races = 200;

    [Fact]
    public async Task Of_two_silos_that_take_a_session_over_at_the_same_moment_only_one_leaves_rows()
    {
        await using var pair = await PostgresPair.OpenAsync();
        var session = await pair.First.NewSessionAsync("c");
        var wins = new int[2];
        for (var race = 1; race <= Races; race++)
        {
            var epoch = race;
            var owned = new bool[2];
            await Task.WhenAll(Enumerable.Range(0, 2).Select(side => Task.Run(async () =>
            {
                var store = side == 0 ? pair.First : pair.Second;
                await store.WriteAsync(batch =>
                {
                    owned[side] = batch.Owns(session, epoch);
                    if (owned[side])
                    {
                        batch.PutSession(Session(session, "c", epoch + 1));
                        var number = store.NextMessageNumber();
                        batch.PutMessage(number, Message(), 1);
                        batch.PutDelivery(Delivery(session, (2 * epoch) + side, number));
                    }
                });
            })));

            Assert.True(owned[0] ^ owned[1], $"race {race}: {owned[0]} {owned[1]}");
            var winner = owned[0] ? 0 : 1;
            wins[winner]++;
            Assert.Equal([(2 * epoch) + winner], (await pair.First.SequencesAsync(session)).Where(s => s >= 2 * epoch));
        }

        Assert.Equal(Races, await pair.CountAsync("broker_message"));
        Assert.True(wins[0] > 0 && wins[1] > 0, $"both sides won sometimes: {wins[0]}, {wins[1]}");
    }

    [Fact]
    public async Task After_a_takeover_nothing_of_the_old_owner_arrives()
    {
        await using var pair = await PostgresPair.OpenAsync();
        for (var round = 0; round < 20; round++)
        {
            var session = await pair.First.NewSessionAsync($"c{round}");
            using var taken = new CancellationTokenSource();
            var oldOwner = Task.Run(async () =>
            {
                var sequence = 0;
                for (var after = 0; after < 50; after += taken.IsCancellationRequested ? 1 : 0)
                {
                    var number = pair.First.NextMessageNumber();
                    var current = ++sequence;
                    await pair.First.WriteAsync(batch =>
                    {
                        if (batch.Owns(session, 1))
                        {
                            batch.PutMessage(number, Message(), 1);
                            batch.PutDelivery(Delivery(session, current, number));
                        }
                    });
                }
            });
            await EventuallyAsync(() => pair.First.SequencesAsync(session).Result.Count > 3, "the old owner writes");
            await pair.Second.WriteAsync(batch =>
            {
                Assert.True(batch.Owns(session, 1));
                batch.PutSession(Session(session, $"c{round}", 2));
            });
            var atTakeover = await pair.Second.SequencesAsync(session);
            await taken.CancelAsync();
            await oldOwner;

            Assert.Equal(atTakeover, await pair.Second.SequencesAsync(session));
        }

        Assert.True(pair.First.IsAvailable);
    }

    [Fact]
    public async Task A_put_of_a_lower_or_equal_epoch_never_replaces_the_row_of_another_owner()
    {
        await using var pair = await PostgresPair.OpenAsync();
        var session = await pair.First.NewSessionAsync("c");
        await pair.First.WriteAsync(batch => batch.PutSession(Session(session, "c", 5)));

        foreach (var epoch in new long[] { 4, 5 })
        {
            var late = pair.Second.PostWrite(batch =>
            {
                batch.PutSubscription(new SubscriptionRow(session, "late", 0, 0));
                batch.PutSession(Session(session, "c", epoch) with { ExpiresAt = 1 });
            });
            var other = pair.Second.PostWrite(batch => batch.PutLastAlive(1));
            await other.Done;
            await Assert.ThrowsAsync<SessionFencedException>(() => late.Done);
        }

        Assert.Null((await pair.First.LoadSessionAsync("c", CancellationToken.None))!.ExpiresAt);
        Assert.Equal(0, await pair.CountAsync("broker_subscription"));
        await pair.Second.WriteAsync(batch => batch.PutSession(Session(session, "c", 6)));
        Assert.Equal(6, (await pair.First.LoadSessionAsync("c", CancellationToken.None))!.Epoch);
        Assert.True(pair.Second.IsAvailable);
    }

    [Fact]
    public async Task Of_two_new_sessions_of_one_client_at_the_same_moment_one_is_stored()
    {
        await using var pair = await PostgresPair.OpenAsync();
        for (var race = 0; race < 50; race++)
        {
            var writes = new[] { pair.First, pair.Second }.Select(store =>
            {
                var number = store.NextSessionNumber();
                return (number, write: store.PostWrite(batch => batch.PutSession(Session(number, $"c{race}", 1))));
            }).ToArray();
            var stored = new List<long>();
            foreach (var (number, write) in writes)
            {
                try
                {
                    await write.Done.WaitAsync(TimeSpan.FromSeconds(30));
                    stored.Add(number);
                }
                catch (SessionFencedException)
                {
                    Assert.True(write.Done.IsFaulted);
                }
            }

            Assert.Equal(
                Assert.Single(stored), (await pair.First.LoadSessionAsync($"c{race}", CancellationToken.None))!.Number);
        }
    }

    [Fact]
    public async Task An_old_owner_cannot_delete_a_session_that_was_taken_over()
    {
        await using var pair = await PostgresPair.OpenAsync();
        var session = await pair.First.NewSessionAsync("c");
        await pair.Second.WriteAsync(batch =>
        {
            if (batch.Owns(session, 1))
            {
                batch.PutSession(Session(session, "c", 2));
            }
        });
        await pair.First.WriteAsync(batch => batch.DeleteSession(session));
        Assert.Equal(2, (await pair.Second.LoadSessionAsync("c", CancellationToken.None))!.Epoch);

        await pair.Second.WriteAsync(batch => batch.DeleteSession(session));
        Assert.Null(await pair.First.LoadSessionAsync("c", CancellationToken.None));
    }

    [Fact]
    public async Task A_silo_that_never_read_a_session_writes_for_it_when_its_epoch_is_right()
    {
        await using var pair = await PostgresPair.OpenAsync();
        var session = await pair.First.NewSessionAsync("c");
        var answers = new List<bool>();
        await pair.Second.WriteAsync(batch =>
        {
            if (batch.Owns(session, 1))
            {
                batch.PutInboundId(session, 1);
            }
        });
        await pair.Second.WriteAsync(batch =>
        {
            answers.Add(batch.Owns(session, 2));
            batch.PutLastAlive(1);
        });

        Assert.Equal([new InboundRow(1, default)], await pair.First.LoadInboundIdsAsync(session, CancellationToken.None));
        Assert.False(answers[^1]);
    }
}
