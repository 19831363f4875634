using System.Net;

namespace Broker.Tests.T09_Auth;

/// <summary>The HTTP interface is the administrator's.</summary>
public sealed class AdminInterfaceTests() : OwnBrokerTest(("Admin:Token", Token))
{
    private const string Token = "0123456789abcdef";

    [OwnTheory]
    [InlineData("/api/v1/drops")]
    [InlineData("/api/v1/traces")]
    [InlineData("/dashboard/")]
    public async Task Interface_asks_for_the_administrator(string path)
    {
        var broker = ((BrokerProcess)Server).Http;
        using var stranger = new AdminClient(broker);
        using var wrong = new AdminClient(broker, Token + "0");
        using var administrator = new AdminClient(broker, Token);

        Assert.Equal(HttpStatusCode.Unauthorized, await stranger.StatusAsync(path));
        Assert.Equal(HttpStatusCode.Unauthorized, await wrong.StatusAsync(path));
        Assert.Equal(HttpStatusCode.OK, await administrator.StatusAsync(path));
    }
}
