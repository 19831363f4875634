using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Broker.Gateway.Listeners;
using Broker.Gateway.Tests.Hooks;
using Broker.Grains.Hooks;
using Broker.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Admin;

/// <summary>Who may publish by HTTP: as by MQTT.</summary>
public sealed class HttpPublishAccessTests
{
    [Theory]
    [InlineData(null, true, null, 200)]
    [InlineData(null, true, "X-Forwarded-For", 401)]
    [InlineData(null, true, "Forwarded", 401)]
    [InlineData(null, true, "Via", 401)]
    [InlineData("made:up", true, "Via", 401)]
    [InlineData(null, false, null, 401)]
    [InlineData("known:secret", false, null, 200)]
    [InlineData("known:wrong", true, null, 401)]
    [InlineData("root:pass", false, null, 200)]
    [InlineData("nonsense", true, null, 401)]
    public async Task User_is_asked_for_as_at_connect(string? user, bool anonymous, string? header, int expected)
    {
        await using var broker = await InProcessBroker.StartAsync(
            services => services.AddHook<AccessHook>(),
            options =>
            {
                options.Auth.AllowAnonymous = anonymous ? null : false;
                options.Admin.User = "root";
                options.Admin.Password = "pass";
            });
        using var http = new HttpClient { BaseAddress = new Uri(broker.Services.GetRequiredService<OpenListeners>().Http) };
        if (user is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(user)));
        }

        if (header is not null)
        {
            // As it stands: Via would be refused as no protocol with a host.
            Assert.True(http.DefaultRequestHeaders.TryAddWithoutValidation(header, "192.0.2.1"));
        }

        using var body = new StringContent("""{"topic": "t"}""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/api/v1/publish", UriKind.Relative), body);

        Assert.Equal((HttpStatusCode)expected, answer.StatusCode);
    }

    [Theory]
    [InlineData(null, "127.0.0.1")]
    [InlineData("X-Forwarded-For", null)]
    public async Task Hooks_are_told_the_address_only_where_it_is_known(string? header, string? expected)
    {
        var hook = new AddressHook();
        await using var broker = await InProcessBroker.StartAsync(
            services => services.AddHook(hook), static options => options.Auth.AllowAnonymous = true);
        using var http = new HttpClient { BaseAddress = new Uri(broker.Services.GetRequiredService<OpenListeners>().Http) };
        if (header is not null)
        {
            http.DefaultRequestHeaders.Add(header, "192.0.2.1");
        }

        using var body = new StringContent("""{"topic": "t"}""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/api/v1/publish", UriKind.Relative), body);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([expected, expected, expected], hook.Addresses.Select(static address => address?.ToString()));
    }

    [Theory]
    [InlineData("ann:secret", "ann-1", 200)]
    [InlineData("ann:secret", "bob-1", 403)]
    [InlineData("ann:secret", "$app/x", 400)]
    [InlineData("ann:secret", "$share/g/t", 400)]
    [InlineData("ann:secret", "ann-\\u0000", 400)]
    [InlineData("ann:secret", "ann-5678901234567890123", 200)]
    [InlineData("ann:secret", "ann-56789012345678901234", 400)]
    [InlineData("root:pass", "bob-1", 200)]
    [InlineData("root:pass", "$app/x", 400)]
    public async Task Client_id_is_one_that_the_user_could_connect_with(string user, string clientId, int expected)
    {
        await using var broker = await InProcessBroker.StartAsync(
            services => services.AddHook<OwnIdsHook>(),
            options =>
            {
                options.Admin.User = "root";
                options.Admin.Password = "pass";
                options.Limits.MaxClientIdLength = 23;
            });
        using var http = new HttpClient { BaseAddress = new Uri(broker.Services.GetRequiredService<OpenListeners>().Http) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(user)));

        using var body = new StringContent($$"""{"topic": "t", "clientId": "{{clientId}}"}""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/api/v1/publish", UriKind.Relative), body);

        Assert.Equal((HttpStatusCode)expected, answer.StatusCode);
    }

    [Theory]
    [InlineData(true, 400)]
    [InlineData(false, 200)]
    public async Task Payload_that_is_said_to_be_utf8_is_looked_at_where_that_of_mqtt_is(bool isLookedAt, int expected)
    {
        await using var broker = await InProcessBroker.StartAsync(static _ => { }, options => options.Mqtt.ValidatePayloadFormat = isLookedAt);
        using var http = new HttpClient { BaseAddress = new Uri(broker.Services.GetRequiredService<OpenListeners>().Http) };

        // 0xC3 0x28
        const string Json = """{"topic": "t", "payload": "wyg=", "encoding": "base64", "properties": {"payloadFormatIndicator": 1}}""";
        using var body = new StringContent(Json, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/api/v1/publish", UriKind.Relative), body);

        Assert.Equal((HttpStatusCode)expected, answer.StatusCode);
    }

    [Fact]
    public async Task Hooks_see_what_comes_by_http()
    {
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(new PublishHook(_ => PublishVerdict.Refuse(ReasonCode.QuotaExceeded))));
        using var http = new HttpClient { BaseAddress = new Uri(broker.Services.GetRequiredService<OpenListeners>().Http) };
        using var body = new StringContent("""{"topic": "t", "qos": 1}""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/api/v1/publish", UriKind.Relative), body);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("QuotaExceeded", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>Lets users be clients whose ids begin with their names, by HTTP also <c>http-NAME</c>.</summary>
    private sealed class OwnIdsHook : IAuthenticateHook
    {
        public ValueTask<HookDecision> OnAuthenticateAsync(
            HookClient client, ReadOnlyMemory<byte>? password, ProtocolVersion version, CancellationToken cancellationToken) => new(
            client.ClientId == $"http-{client.UserName}" || client.ClientId.StartsWith($"{client.UserName}-", StringComparison.Ordinal)
                ? HookDecision.Allow
                : HookDecision.Deny);
    }

    /// <summary>Lets everybody do everything and remembers the addresses that it was told: at the authentication, for the right, for the message.</summary>
    private sealed class AddressHook : IAuthenticateHook, IAuthorizeHook, IPublishHook
    {
        public ConcurrentQueue<IPAddress?> Addresses { get; } = [];

        public ValueTask<HookDecision> OnAuthenticateAsync(
            HookClient client, ReadOnlyMemory<byte>? password, ProtocolVersion version, CancellationToken cancellationToken) => Note(client);

        public ValueTask<HookDecision> OnAuthorizeAsync(
            HookClient client, bool isPublish, string topic, CancellationToken cancellationToken) => Note(client);

        public async ValueTask<PublishVerdict> OnPublishAsync(HookClient client, HookMessage message, CancellationToken cancellationToken)
        {
            await Note(client);
            return PublishVerdict.Continue(message);
        }

        private ValueTask<HookDecision> Note(HookClient client)
        {
            Addresses.Enqueue(client.Address);
            return new ValueTask<HookDecision>(HookDecision.Allow);
        }
    }
}
