using Broker.Gateway.Admin;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Tests.Admin;

public sealed class RebalanceEndpointTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("http://localhost:8080", false)]
    [InlineData("http://LOCALHOST:8080", false)]
    [InlineData("http://localhost:9090", true)]
    [InlineData("http://evil.example", true)]
    [InlineData("null", true)]
    public void A_page_of_another_site_is_not_listened_to(string? origin, bool expected)
    {
        var context = new DefaultHttpContext();
        context.Request.Host = new HostString("localhost:8080");
        if (origin is not null)
        {
            context.Request.Headers.Origin = origin;
        }

        Assert.Equal(expected, RebalanceEndpoint.IsForeign(context.Request));
    }
}
