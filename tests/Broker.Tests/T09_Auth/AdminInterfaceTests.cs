using System.Net;

namespace Broker.Tests.T09_Auth;

/// <summary>The HTTP interface is the administrator's.</summary>
public sealed class AdminInterfaceTests() : OwnBrokerTest(("Admin:Token", Token))
{
    private const string Token = "0123456789abcdef";

    [OwnFact]
    public async Task Interface_asks_for_the_administrator()
    {
        var broker = ((BrokerProcess)Server).Http;
        using var stranger = new AdminClient(broker);
        using var wrong = new AdminClient(broker, Token + "0");
        using var administrator = new AdminClient(broker, Token);

        Assert.Equal(HttpStatusCode.Unauthorized, await stranger.StatusAsync("/api/v1/drops"));
        Assert.Equal(HttpStatusCode.Unauthorized, await wrong.StatusAsync("/api/v1/drops"));
        Assert.Equal(HttpStatusCode.OK, await administrator.StatusAsync("/api/v1/drops"));
    }
}
