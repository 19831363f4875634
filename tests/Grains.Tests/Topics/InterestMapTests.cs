using System.Net;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Messages;
using Broker.Grains.Topics;
using Xunit;

namespace Broker.Grains.Tests.Topics;

public sealed class InterestMapTests
{
    private static readonly SiloAddress A = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress B = SiloAddress.New(IPAddress.Loopback, 2, 1);

    private readonly InterestMap _map = new();

    public InterestMapTests() => _map.SetLive([A, B]);

    [Fact]
    public void A_silo_that_has_not_answered_counts_as_interested()
    {
        Assert.Equal([A, B], _map.Interested);
        _map.Apply(new SiloInterest { Silo = A, Version = 1 });
        Assert.Equal([B], _map.Interested);
    }

    [Fact]
    public void An_older_answer_never_overwrites_a_newer_push()
    {
        Assert.True(_map.Apply(new SiloInterest { Silo = A, Version = 5, Connected = 1 }));
        Assert.False(_map.Apply(new SiloInterest { Silo = A, Version = 4 }));
        Assert.False(_map.Apply(new SiloInterest { Silo = A, Version = 5 }));
        Assert.Equal(1, _map.BySilo[A]!.Connected);
    }

    [Fact]
    public void Interest_goes_with_its_silo_and_does_not_come_back_late()
    {
        _map.Apply(new SiloInterest { Silo = B, Version = 1, Dormant = 2 });
        _map.SetLive([A]);
        Assert.False(_map.Apply(new SiloInterest { Silo = B, Version = 2, Dormant = 2 }));
        Assert.Equal([A], _map.Interested);
    }

    [Fact]
    public void Recent_messages_let_the_first_copy_pass_and_forget_the_oldest()
    {
        var recent = new RecentMessages(capacity: 2);
        Assert.True(recent.IsFirst(Id(1)));
        Assert.False(recent.IsFirst(Id(1)));
        Assert.True(recent.IsFirst(Id(2)));
        Assert.True(recent.IsFirst(Id(3)));
        Assert.True(recent.IsFirst(Id(1)));
        Assert.Equal(1, recent.Repeats);
    }

    [Fact]
    public void A_session_that_moved_brings_what_it_had()
    {
        var recent = new RecentMessages();
        Assert.False(recent.HasMoved);
        recent.Moved("client", [Id(1), Id(2)]);

        Assert.True(recent.HasMoved);
        Assert.True(recent.HadBefore("client", Id(2)));
        Assert.False(recent.HadBefore("client", Id(3)));
        Assert.False(recent.HadBefore("other", Id(2)));
        Assert.True(recent.IsFirst(Id(2)));
    }

    private static MessageId Id(ulong low) => new(1, low);
}
