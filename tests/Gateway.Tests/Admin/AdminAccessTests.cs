using System.Net;
using System.Text;
using Broker.Gateway.Admin;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Tests.Admin;

public sealed class AdminAccessTests
{
    private const string Token = "0123456789abcdef";

    [Theory]
    [InlineData("127.0.0.1", "localhost", null, 200)]
    [InlineData("::1", "[::1]:8080", null, 200)]
    [InlineData("::ffff:127.0.0.1", "127.0.0.1:8080", null, 200)]
    [InlineData("192.0.2.1", "localhost", null, 403)]
    [InlineData("127.0.0.1", "evil.example", null, 403)]
    [InlineData("127.0.0.1", "localhost", "X-Forwarded-For", 403)]
    [InlineData("127.0.0.1", "localhost", "x-forwarded-for", 403)]
    [InlineData("127.0.0.1", "localhost", "Forwarded", 403)]
    [InlineData("127.0.0.1", "localhost", "X-Real-IP", 403)]
    [InlineData("127.0.0.1", "localhost", "Via", 403)]
    public async Task Without_an_administrator_only_this_machine_gets_in(
        string peer, string host, string? header, int expected)
    {
        var context = Request("/dashboard", peer, host);
        if (header is not null)
        {
            context.Request.Headers[header] = "192.0.2.1";
        }

        Assert.Equal(expected, await StatusAsync(new AdminOptions(), context));
    }

    [Theory]
    [InlineData(":")]
    [InlineData("root:pass")]
    public async Task Made_up_credentials_open_nothing_where_there_is_no_administrator(string credentials)
    {
        var context = Request("/dashboard", "127.0.0.1", "localhost");
        context.Request.Headers.Via = "1.1 proxy";
        context.Request.Headers.Authorization = $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))}";

        Assert.Equal(403, await StatusAsync(new AdminOptions(), context));
    }

    [Theory]
    [InlineData("", null, null)]
    [InlineData("", "", null)]
    [InlineData(null, null, "")]
    [InlineData("", "", "")]
    public async Task Empty_values_make_no_administrator(string? user, string? password, string? token)
    {
        var options = new AdminOptions { User = user, Password = password, Token = token };
        foreach (var authorization in (string[])["Basic " + Convert.ToBase64String(":"u8), "Bearer ", ""])
        {
            var remote = Request("/dashboard", "192.0.2.1", "broker.example");
            remote.Request.Headers.Authorization = authorization;

            Assert.Equal(403, await StatusAsync(options, remote));
        }

        Assert.Equal(200, await StatusAsync(options, Request("/dashboard", "127.0.0.1", "localhost")));
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public async Task Empty_password_opens_nothing(string? password)
    {
        var remote = Request("/dashboard", "192.0.2.1", "broker.example");
        remote.Request.Headers.Authorization = "Basic " + Convert.ToBase64String("root:"u8);

        Assert.Equal(401, await StatusAsync(new AdminOptions { User = "root", Password = password, Token = Token }, remote));
    }

    [Theory]
    [InlineData(null, 401)]
    [InlineData("Basic root:pass", 200)]
    [InlineData("basic root:pass", 200)]
    [InlineData("Basic root:wrong", 401)]
    [InlineData("Basic %%%", 401)]
    [InlineData("Bearer " + Token, 200)]
    [InlineData("Bearer " + Token + "0", 401)]
    [InlineData("Bearer", 401)]
    public async Task With_an_administrator_everybody_has_to_be_it(string? authorization, int expected)
    {
        var context = Request("/dashboard", "127.0.0.1", "localhost");
        if (authorization is not null)
        {
            var parts = authorization.Split(' ');
            context.Request.Headers.Authorization = parts is [_, var pair] && pair.Contains(':', StringComparison.Ordinal)
                ? $"{parts[0]} {Convert.ToBase64String(Encoding.UTF8.GetBytes(pair))}"
                : authorization;
        }

        Assert.Equal(
            expected, await StatusAsync(new AdminOptions { User = "root", Password = "pass", Token = Token }, context));
    }

    [Fact]
    public async Task Health_is_open_to_all() =>
        Assert.Equal(200, await StatusAsync(new AdminOptions { Token = Token }, Request("/health/ready", "192.0.2.1", "x")));

    [Fact]
    public async Task A_path_that_only_begins_like_health_is_not() =>
        Assert.Equal(401, await StatusAsync(new AdminOptions { Token = Token }, Request("/healthy", "127.0.0.1", "x")));

    [Theory]
    [InlineData("/metrics", MetricsAccess.Admin, 401)]
    [InlineData("/metrics", MetricsAccess.Anyone, 200)]
    [InlineData("/metrics/x", MetricsAccess.Anyone, 401)]
    [InlineData("/dashboard", MetricsAccess.Anyone, 401)]
    public async Task Metrics_are_the_administrators_unless_they_are_for_anyone(string path, MetricsAccess access, int expected) => Assert.Equal(
        expected,
        await StatusAsync(
            new AdminOptions { Token = Token }, Request(path, "192.0.2.1", "x"), new MetricsOptions { Access = access }));

    [Theory]
    [InlineData(null, 401)]
    [InlineData("Bearer " + Token + "0", 401)]
    [InlineData("Bearer " + Token, 200)]
    public async Task Only_the_administrator_moves_connections_and_being_on_this_machine_is_not_enough(string? authorization, int expected)
    {
        var context = Request(RebalanceEndpoint.Path, "127.0.0.1", "localhost");
        context.Request.Method = HttpMethods.Post;
        context.Request.Headers.Authorization = authorization;

        Assert.Equal(expected, await StatusAsync(new AdminOptions { Token = Token }, context));
    }

    private static DefaultHttpContext Request(string path, string peer, string host)
    {
        var context = new DefaultHttpContext();
        context.Request.Path = path;
        context.Request.Host = new HostString(host);
        context.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        return context;
    }

    private static async Task<int> StatusAsync(AdminOptions options, HttpContext context, MetricsOptions? metrics = null)
    {
        await new AdminAccess(options, metrics ?? new MetricsOptions()).GuardAsync(context, _ => Task.CompletedTask);
        return context.Response.StatusCode;
    }
}
