using System.Net;

namespace Broker.Tests.T09_Auth;

/// <summary>Variables of a deployment that nobody has filled in make no administrator whom everybody knows.</summary>
public sealed class EmptyAdministratorTests() : OwnBrokerTest(("Admin:User", ""), ("Admin:Token", ""))
{
    [OwnFact]
    public async Task Interface_is_for_this_machine_only()
    {
        using var http = new HttpClient { BaseAddress = ((BrokerProcess)Server).Http };
        using var local = new HttpRequestMessage(HttpMethod.Get, "/api/v1/drops");
        using var remote = new HttpRequestMessage(HttpMethod.Get, "/api/v1/drops");
        remote.Headers.Add("X-Forwarded-For", "192.0.2.1");
        remote.Headers.Authorization = new("Basic", Convert.ToBase64String(":"u8));

        Assert.Equal(HttpStatusCode.OK, (await http.SendAsync(local)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await http.SendAsync(remote)).StatusCode);
    }
}
