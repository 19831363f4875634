using System.Globalization;
using System.Threading.Channels;

namespace Broker.Cluster.Tests.Support;

/// <summary>
/// A group with a member on each silo in turn. The first makes the group, so that the first silo has it. Messages are published
/// one at a time, so that each shows whom it went to.
/// </summary>
internal sealed class SpreadGroup : IAsyncDisposable
{
    private readonly Channel<(int Member, string Text)> _got = Channel.CreateUnbounded<(int Member, string Text)>();
    private readonly List<ScriptedClient> _members = [];
    private readonly List<ScriptedClient> _publishers = [];
    private int _published;

    private SpreadGroup()
    {
    }

    /// <summary>Connects the members, and one publisher to each silo.</summary>
    /// <param name="name">Of the group, and of its topics: they are those below it.</param>
    public static async Task<SpreadGroup> OfAsync(LocalCluster cluster, string name, int members)
    {
        var group = new SpreadGroup();
        try
        {
            for (var i = 0; i < members; i++)
            {
                await group.JoinAsync(cluster.Silos[i % cluster.Silos.Count], name);
            }

            foreach (var silo in cluster.Silos)
            {
                group._publishers.Add(await ScriptedClient.ConnectAsync(silo.Mqtt, new ConnectOptions()));
            }

            Assert.Equal(0, await GroupPlace.OfAsync(cluster, Filter(name)));
            return group;
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    /// <summary>Publishes through a silo.</summary>
    /// <returns>Number of the member that got it.</returns>
    public Task<int> PublishAsync(int silo, string topic) => PublishAsync(_publishers[silo], topic);

    /// <inheritdoc cref="PublishAsync(int, string)"/>
    public async Task<int> PublishAsync(ScriptedClient publisher, string topic)
    {
        var text = (_published++).ToString(CultureInfo.InvariantCulture);
        Assert.Equal(ReasonCode.Success, (await publisher.PublishAsync(topic, text, 1))!.Reason);
        using var patience = new CancellationTokenSource(ScriptedClient.Patience);
        try
        {
            var (member, got) = await _got.Reader.ReadAsync(patience.Token);

            // Another text: that of an earlier message, which so has come twice.
            Assert.Equal(text, got);
            return member;
        }
        catch (OperationCanceledException)
        {
            throw new TestFailureException($"no member got message {text} of {publisher}");
        }
    }

    /// <summary>From now on it leaves what it gets unacknowledged.</summary>
    public void Hold(int member) => _members[member].AcknowledgesByItself = false;

    /// <summary>Ends the connection of a member and with it its session, all that it got being acknowledged.</summary>
    public Task LeaveAsync(int member) => _members[member].DisconnectAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _members.Concat(_publishers))
        {
            await client.DisposeAsync();
        }
    }

    private static string Filter(string name) => $"$share/{name}/{name}/#";

    private async Task JoinAsync(BrokerProcess silo, string name)
    {
        var number = _members.Count;

        // Names that are the same each time: hashes go by them.
        var id = string.Create(CultureInfo.InvariantCulture, $"{name}-member{number}");
        var member = await ScriptedClient.ConnectAsync(silo.Mqtt, new ConnectOptions { ClientId = id, AcknowledgesByItself = true });
        _members.Add(member);
        Assert.Equal([ReasonCode.GrantedQoS1], (await member.SubscribeAsync(Filter(name), 1)).Reasons);
        member.Handler = packet =>
        {
            if (packet.Type == PacketType.Publish)
            {
                _got.Writer.TryWrite((number, packet.Text));
            }
        };
    }
}
