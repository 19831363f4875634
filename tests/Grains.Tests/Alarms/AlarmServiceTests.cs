using Broker.Grains.Alarms;
using Broker.Grains.Options;
using Broker.Grains.Tests.SessionModel;
using Xunit;

namespace Broker.Grains.Tests.Alarms;

/// <summary>Rows of alarms.</summary>
public sealed class AlarmServiceTests
{
    [Fact]
    public async Task Rows_that_are_more_than_may_be_remembered_go_when_they_are_read()
    {
        var time = new ManualTime();
        var rows = new MemoryRows();
        using (var before = new AlarmSilo(1, time, rows: rows))
        {
            for (var i = 0; i < 10; i++)
            {
                before.Raise($"alarm {i}");
                time.Pass(TimeSpan.FromSeconds(1));
                before.Service.Clear($"alarm {i}");
            }

            before.Raise("stays");
            before.Store.Commit();
            Assert.Equal(11, (await before.Store.LoadItemsAsync(AlarmService.Kind, CancellationToken.None)).Count);
        }

        using var after = new AlarmSilo(1, time, new AlarmOptions { MaxRaised = 3, MaxHistory = 2 }, rows: rows);
        await after.Service.LoadAsync(CancellationToken.None);
        after.Store.Commit();

        Assert.Equal(4, (await after.Store.LoadItemsAsync(AlarmService.Kind, CancellationToken.None)).Count);
        Assert.Equal(["stays", "alarm 9", "alarm 8"], after.Service.List().Select(static a => a.Id));
    }
}
