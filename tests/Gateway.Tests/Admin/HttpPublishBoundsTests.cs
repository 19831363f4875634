using System.Diagnostics;
using System.Net;
using System.Text;
using Broker.Gateway.Listeners;
using Broker.Gateway.Tests.Hooks;
using Broker.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Admin;

/// <summary>What publishing by HTTP may cost a broker whose store is away.</summary>
public sealed class HttpPublishBoundsTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly Uri Path = new("/api/v1/publish", UriKind.Relative);

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(100) };

    [Fact]
    public async Task Stop_answers_requests_that_wait_for_the_store_when_the_drain_is_over()
    {
        await using var broker = await InProcessBroker.StartAsync(StallingStore.AddTo, static options =>
        {
            options.Shutdown.DrainTimeout = TimeSpan.FromSeconds(1);
            options.Shutdown.StopTimeout = TimeSpan.FromSeconds(60);
        });
        var one = PostAsync(broker, """{"topic": "t", "qos": 1}""");
        var list = PostAsync(broker, """[{"topic": "t", "qos": 1}, {"topic": "t", "qos": 1}]""");
        await Eventually.TrueAsync(() => StallingStore.Of(broker).Waiting == 2, Limit, static () => "both wait");

        var clock = Stopwatch.StartNew();
        await broker.StopAsync();

        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        var (status, text) = await one;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("\"code\":139", text, StringComparison.Ordinal);
        (status, text) = await list;
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(3, text.Split("\"code\":139").Length);
    }

    [Fact]
    public async Task Requests_beyond_as_many_as_may_be_are_told_to_come_later()
    {
        await using var broker = await InProcessBroker.StartAsync(StallingStore.AddTo, static options => options.Http.MaxPublishRequests = 1);
        var first = PostAsync(broker, """{"topic": "t", "qos": 1}""");
        await Eventually.TrueAsync(() => StallingStore.Of(broker).Waiting == 1, Limit, static () => "the first waits");

        using (var body = new StringContent("""{"topic": "t"}""", Encoding.UTF8, "application/json"))
        using (var refused = await _http.PostAsync(new Uri(HttpOf(broker), Path), body))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        }

        StallingStore.Of(broker).ComeBack();
        Assert.Equal(HttpStatusCode.OK, (await first).Status);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(broker, """{"topic": "t", "qos": 1}""")).Status);
    }

    public void Dispose() => _http.Dispose();

    private static Uri HttpOf(InProcessBroker broker) => new(broker.Services.GetRequiredService<OpenListeners>().Http);

    private async Task<(HttpStatusCode Status, string Text)> PostAsync(InProcessBroker broker, string json)
    {
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri(HttpOf(broker), Path), body);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
