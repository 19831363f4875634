using System.Net;
using System.Text;
using Broker.Gateway.Auth;
using Broker.Gateway.Options;
using Broker.Protocol;

namespace Broker.Gateway.Tests.Auth;

/// <summary>Who may read what the broker says about itself, and everything at once.</summary>
public sealed class SysAccessTests
{
    [Theory]
    [InlineData("$SYS/#", "127.0.0.1", null, true)]
    [InlineData("$SYS/#", "::1", null, true)]
    [InlineData("$SYS/#", "192.0.2.1", null, false)]
    [InlineData("$SYS/brokers/+/version", "192.0.2.1", "somebody", false)]
    [InlineData("$SYS/#", "192.0.2.1", "operator", true)]
    [InlineData("#", "192.0.2.1", null, false)]
    [InlineData("#", "192.0.2.1", "watcher", true)]
    [InlineData("a/#", "192.0.2.1", null, true)]
    [InlineData("+/#", "192.0.2.1", null, true)]
    [InlineData("$SYSTEM/x", "192.0.2.1", null, true)]
    public void Filter_is_for_readers_or_for_all(string filter, string address, string? user, bool expected)
    {
        var access = new AccessControl(new DefaultAuthorizer(new SysOptions { Readers = "operator, watcher" }));
        var client = new ClientIdentity("c", user, IPAddress.Parse(address));

        Assert.True(access.TryAuthorize(
            client, AccessKind.Subscribe, Encoding.UTF8.GetBytes(filter), QualityOfService.AtMostOnce, false, out var allowed));
        Assert.Equal(expected, allowed);
    }
}
