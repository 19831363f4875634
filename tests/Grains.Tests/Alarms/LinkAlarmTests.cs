using Broker.Grains.Alarms;
using Broker.Grains.Options;
using Xunit;

namespace Broker.Grains.Tests.Alarms;

/// <summary>Silos that live and do not answer.</summary>
public sealed class LinkAlarmTests : IDisposable
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private readonly ManualTime _time = new();
    private readonly AlarmSilo _first;
    private readonly AlarmSilo _second;
    private readonly SiloAddress _mute = AlarmSilo.AddressOf(3);

    public LinkAlarmTests()
    {
        _first = new AlarmSilo(1, _time);
        _second = new AlarmSilo(2, _time);
        foreach (var (silo, other) in ((AlarmSilo, AlarmSilo)[])[(_first, _second), (_second, _first)])
        {
            silo.Statuses.Set(other.SiloAddress, SiloStatus.Active);
            silo.Statuses.Set(_mute, SiloStatus.Active);
        }
    }

    private string Id => $"silo_silent/{_mute}";

    [Fact]
    public void Silo_that_does_not_answer_is_an_alarm_until_it_does()
    {
        var links = LinksOf(_first);
        links.Note(_mute, null);
        Assert.Empty(_first.Raised);
        links.Note(_mute, Silence);
        links.Note(_mute, Silence * 2);
        Assert.Equal([Id], _first.Raised);

        links.Note(_mute, null);

        Assert.Empty(_first.Raised);
    }

    [Fact]
    public void Answer_to_one_silo_is_none_to_another()
    {
        LinksOf(_first).Note(_mute, Silence);
        _first.Tell(_second);
        LinksOf(_second).Note(_mute, null);
        Assert.Equal([Id], _second.Raised);
        LinksOf(_second).Note(_mute, Silence);

        LinksOf(_first).Note(_mute, null);
        _first.Tell(_second);
        Assert.Empty(_second.Raised);
        _time.Pass(TimeSpan.FromSeconds(1));
        LinksOf(_second).Note(_mute, Silence);
        _second.Tell(_first);

        Assert.Equal((Id, _second.Name), (Assert.Single(_first.Service.Raised()).Id, _first.Service.Raised()[0].Node));
    }

    [Fact]
    public async Task Of_a_silo_that_does_not_live_nobody_expects_an_answer()
    {
        LinksOf(_first).Note(_mute, Silence);
        _first.Tell(_second);
        await _second.SweepAsync();
        Assert.Single(_second.Raised);

        _second.Statuses.Set(_mute, SiloStatus.Dead);
        await _second.SweepAsync();

        Assert.Empty(_second.Raised);
    }

    [Fact]
    public async Task What_a_silo_said_that_died_is_cleared_by_the_others()
    {
        LinksOf(_first).Note(_mute, Silence);
        _first.Tell(_second);
        _second.Statuses.Set(_first.SiloAddress, SiloStatus.Dead);
        await _second.SweepAsync();
        Assert.Single(_second.Raised);

        _time.Pass(new AlarmOptions().OrphanedAfter);
        await _second.SweepAsync();

        Assert.Empty(_second.Raised);
    }

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }

    private static LinkAlarms LinksOf(AlarmSilo silo) => new(silo.Service, silo, silo.Statuses);
}
