using Broker.Gateway.Auth;
using Broker.Gateway.Auth.Enhanced;
using Broker.Gateway.Embedding;
using Broker.Gateway.Hosting;
using Broker.Gateway.Tests.Hooks;
using Broker.Grains.Hooks;
using Broker.Protocol;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Broker.Gateway.Tests.Embedding;

/// <summary>The broker inside an application (docs/embedding.md).</summary>
public sealed class EmbeddedBrokerTests
{
    [Fact]
    public async Task Application_publishes_to_clients_with_properties_and_learns_whether_anybody_subscribes()
    {
        await using var application = await Application.StartAsync();
        await using var client = await ScriptedClient.ConnectAsync(application.Mqtt);
        await client.SubscribeAsync("t", 1);
        var message = new MqttMessage
        {
            Topic = "t",
            Payload = "x"u8.ToArray(),
            Qos = QualityOfService.AtLeastOnce,
            Properties = new PublishProperties { ContentType = "text/plain" },
        };

        var published = application.Broker.PublishAsync(message);
        var received = await client.ExpectPublishAsync("t", "x");
        await client.AckAsync(PacketType.PubAck, received.PacketId);

        Assert.True(await published);
        Assert.Equal("text/plain", received.Properties.Text(Prop.ContentType));
        Assert.False(await application.Broker.PublishAsync(message with { Topic = "nobody" }));
        await Assert.ThrowsAsync<ArgumentException>(() => application.Broker.PublishAsync(message with { Topic = "a/#" }));
    }

    [Fact]
    public async Task Hooks_of_the_application_are_made_by_its_own_services_and_not_asked_about_what_it_publishes_itself()
    {
        var hook = new PublishHook(static m => PublishVerdict.Continue(m with { Topic = $"hooked/{m.Topic}" }));
        await using var application = await Application.StartAsync(services => services.AddHook(hook).AddHook<Told>().AddSingleton<Journal>());
        await using var client = await ScriptedClient.ConnectAsync(application.Mqtt, new ConnectOptions { ClientId = "c" });
        await client.SubscribeAsync("#");

        await client.PublishAsync("t", "by the client", 1);
        await client.ExpectPublishAsync("hooked/t", "by the client");
        await application.Broker.PublishAsync(new MqttMessage { Topic = "t", Payload = "by the application"u8.ToArray() });
        await client.ExpectPublishAsync("t", "by the application");

        Assert.Equal(1, hook.Calls);
        Assert.Equal("c", await application.Host.Services.GetRequiredService<Journal>().Connected.Task.WaitAsync(ScriptedClient.Patience));
    }

    [Fact]
    public async Task Authentication_Method_of_the_application_is_offered()
    {
        await using var application = await Application.StartAsync(static services => services.AddSingleton<IEnhancedAuthenticator, OneWord>());
        PropertyCollection method = new() { { Prop.AuthenticationMethod, "one-word" }, { Prop.AuthenticationData, "sesame"u8.ToArray() } };

        await using var client = await ScriptedClient.ConnectAsync(application.Mqtt, new ConnectOptions { Properties = method });

        Assert.Equal("one-word", client.ConnAck.Properties.Text(Prop.AuthenticationMethod));
    }

    [Fact]
    public async Task Its_log_is_the_applications()
    {
        await using var application = await Application.StartAsync(configure: static o => o.Log.Level = LogLevel.Debug);
        await using var client = await ScriptedClient.OpenAsync(application.Mqtt);

        await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        await client.ExpectCloseAsync();

        Assert.Contains(application.Log, static line => line.Text.Contains("[MQTT-3.1.0-1]", StringComparison.Ordinal));
    }

    [Fact]
    public void Wrong_settings_of_configuration_and_code_are_all_named_before_anything_starts()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { ["Broker:Sessions:MaxInflight"] = "5", ["Broker:Limits:MaxPacketSize"] = "-1" }).Build();

        var refused = Assert.Throws<StartupException>(() => new ServiceCollection().AddMqttBroker(configuration, static o =>
        {
            o.Session.MaxInflight = 0;
            o.Listeners.Mqtt[0].Port = 70_000;
        }));

        Assert.Contains("Broker:Sessions:MaxInflight is not a setting", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Broker:Limits:MaxPacketSize: '-1' is not allowed", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Broker:Session:MaxInflight: '0' is not allowed", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Broker:Listeners:Mqtt:0:Port: '70000' is not allowed", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Empty_sections_and_times_that_would_be_cut_off_are_named_as_well()
    {
        using var json = new MemoryStream("""{ "Broker": { "Sesion": {}, "Session": {}, "Limits": { "MaxKeepAlive": null } } }"""u8.ToArray());
        var configuration = new ConfigurationBuilder().AddJsonStream(json).Build();

        var refused = Assert.Throws<StartupException>(() => new ServiceCollection().AddMqttBroker(configuration, static o =>
        {
            o.Session.SessionExpiry = TimeSpan.FromSeconds(0.5);
            o.Hooks.TimeLimit = TimeSpan.FromSeconds(1) / 3;
        }));

        Assert.Equal(
            [
                "Broker:Sesion is not a setting; did you mean Broker:Session?",
                "Broker:Session:SessionExpiry: '500ms' is not allowed; allowed: 0s to never, in whole seconds",
                "Broker:Hooks:TimeLimit: '00:00:00.3333333' is not allowed; allowed: 1ms to 10m, in whole milliseconds",
            ],
            refused.Message.Split('\n'));
    }

    [Fact]
    public async Task Users_file_that_cannot_be_used_ends_the_start_of_the_application_with_a_line()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("users"), "garbage\n");

        var refused = await Assert.ThrowsAsync<StartupException>(
            () => Application.StartAsync(configure: o => o.Auth.UsersFile = folder.File("users")));

        Assert.Equal(
            $"the users file cannot be used: {folder.File("users")}: line 1 is not name:hash or name:hash:scram; "
                + "correct it, or remove it and add its user again with ./broker user add NAME",
            refused.Message);
    }

    [Fact]
    public async Task Port_in_use_ends_the_start_of_the_application_with_a_line()
    {
        await using var first = await Application.StartAsync();

        var refused = await Assert.ThrowsAsync<StartupException>(
            () => Application.StartAsync(configure: o => o.Listeners.Mqtt[0].Port = first.Mqtt.Port));

        Assert.Contains("is in use", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_has_time_for_the_stop_of_the_broker_and_clients_are_told()
    {
        await using var application = await Application.StartAsync(configure: static o => o.Shutdown.DrainTimeout = TimeSpan.FromMinutes(2));
        var limit = application.Host.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<HostOptions>>().Value.ShutdownTimeout;
        await using var client = await ScriptedClient.ConnectAsync(application.Mqtt);

        await application.Host.StopAsync();

        await client.ExpectDisconnectAsync(ReasonCode.ServerShuttingDown);
        Assert.True(limit > TimeSpan.FromMinutes(2));
        Assert.False(application.Broker.IsReady);
    }

    internal sealed class OneWord : IEnhancedAuthenticator, IAuthenticationExchange
    {
        public string Method => "one-word";

        public IAuthenticationExchange Begin(AuthenticationRequest request) => this;

        public ValueTask<ExchangeStep> NextAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
            new(data.Span.SequenceEqual("sesame"u8) ? ExchangeStep.Accept("ali", []) : ExchangeStep.Refuse(ReasonCode.NotAuthorized));
    }

    internal sealed class Journal
    {
        public TaskCompletionSource<string> Connected { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    internal sealed class Told(Journal journal) : IEventHook<ClientConnected>
    {
        public ValueTask OnEventAsync(ClientConnected happened, CancellationToken cancellationToken)
        {
            journal.Connected.TrySetResult(happened.ClientId);
            return ValueTask.CompletedTask;
        }
    }
}
