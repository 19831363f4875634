using System.Net;
using Broker.Gateway.Auth;
using Broker.Gateway.Listeners;

namespace Broker.Gateway.Tests.Listeners;

/// <summary>Which addresses an access list lets in.</summary>
public sealed class AccessListTests
{
    [Theory]
    [InlineData("", "1.2.3.4", true)]
    [InlineData("", "2001:db8::1", true)]
    [InlineData("allow all", "1.2.3.4", true)]
    [InlineData("deny all", "::1", false)]
    [InlineData("allow 10.0.0.0/8", "10.255.0.1", true)]
    [InlineData("allow 10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("deny 10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("deny 10.0.0.0/8, allow all", "11.0.0.1", true)]
    [InlineData("deny 10.0.0.0/8, allow all", "10.0.0.1", false)]
    [InlineData("allow 10.1.0.0/16, deny 10.0.0.0/8, allow all", "10.1.2.3", true)]
    [InlineData("allow 10.1.0.0/16, deny 10.0.0.0/8, allow all", "10.2.2.3", false)]
    [InlineData("Allow 10.0.0.1,DENY all", "10.0.0.1", true)]
    [InlineData("allow 10.0.0.1, deny all", "10.0.0.2", false)]
    [InlineData("allow 0.0.0.0/0", "1.2.3.4", true)]
    [InlineData("allow 0.0.0.0/0", "::1", false)]
    [InlineData("allow ::/0", "2001:db8::1", true)]
    [InlineData("allow ::/0", "1.2.3.4", false)]
    [InlineData("allow 2001:db8::/32", "2001:db8:1::2", true)]
    [InlineData("allow 2001:db8::/32", "2001:db9::1", false)]
    [InlineData("allow fe80::/10", "fe80::1%3", true)]
    [InlineData("allow 10.0.0.0/8", "::ffff:10.1.1.1", true)]
    [InlineData("allow ::/0", "::ffff:10.1.1.1", false)]
    [InlineData("allow ::ffff:10.0.0.0/104", "10.1.1.1", true)]
    [InlineData("allow ::ffff:10.0.0.1", "::ffff:10.0.0.1", true)]
    [InlineData("allow ::ffff:10.0.0.0/104", "11.1.1.1", false)]
    public void First_rule_that_matches_decides_and_whom_none_names_may_not(string rules, string client, bool isAllowed)
    {
        Assert.True(AccessList.TryParse(rules, out var list, out _));
        Assert.Equal(isAllowed, list.Allows(RemoteAddress.Of(new IPEndPoint(IPAddress.Parse(client), 1))));
    }

    [Theory]
    [InlineData("allow", "allow")]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("permit all", "permit all")]
    [InlineData("allow all deny all", "allow all deny all")]
    [InlineData("allow all,", "")]
    [InlineData(",", "")]
    [InlineData("allow all, deny 10.0.0.0/33", "deny 10.0.0.0/33")]
    [InlineData("deny fd00::/129", "deny fd00::/129")]
    [InlineData("deny 10.0.0.1/8", "deny 10.0.0.1/8")]
    [InlineData("deny fd00::1/8", "deny fd00::1/8")]
    [InlineData("deny ::ffff:0:0/90", "deny ::ffff:0:0/90")]
    [InlineData("deny 10.0/8", "deny 10.0/8")]
    [InlineData("deny 010.0.0.1", "deny 010.0.0.1")]
    [InlineData("deny 10.0.0.0/", "deny 10.0.0.0/")]
    [InlineData("deny 10.0.0.0/-1", "deny 10.0.0.0/-1")]
    [InlineData("deny /8", "deny /8")]
    [InlineData("deny fe80::1%eth0", "deny fe80::1%eth0")]
    [InlineData("deny example.org", "deny example.org")]
    public void What_is_no_rule_is_named(string rules, string wrong)
    {
        Assert.False(AccessList.TryParse(rules, out _, out var named));
        Assert.Equal(wrong, named);
    }
}
