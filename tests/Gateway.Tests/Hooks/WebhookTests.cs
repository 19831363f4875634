using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Broker.Gateway.Options;
using Broker.TestKit;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>The webhook against a real HTTP server.</summary>
public sealed class WebhookTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    // Longer than a test holds an answer back: no request is given up meanwhile.
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Events_are_posted_in_order_and_what_comes_during_a_request_is_in_the_next()
    {
        await using var server = await WebhookServer.StartAsync();
        var gate = new TaskCompletionSource();
        server.Gate = gate.Task;
        await using var broker = await StartAsync(server.Url, options =>
        {
            options.Token = "a-token";
            options.Timeout = Patient;
        });

        try
        {
            await ConnectAsync(broker, "first");
            var first = await server.NextAsync();
            for (var i = 0; i < 5; i++)
            {
                await ConnectAsync(broker, $"{i}");
            }

            gate.SetResult();
            var second = await server.NextAsync();
            Assert.Equal(["client.connected first"], first.Names);
            Assert.Equal(Enumerable.Range(0, 5).Select(static i => $"client.connected {i}"), second.Names);
            Assert.Equal("Bearer a-token", second.Authorization);
            Assert.NotEqual(first.Batch, second.Batch);
            Assert.Equal("127.0.0.1", second.Events[0].GetProperty("address").GetString());
        }
        finally
        {
            gate.TrySetResult();
        }
    }

    [Fact]
    public async Task Batch_is_tried_again_under_the_same_number_until_the_server_takes_it()
    {
        await using var server = await WebhookServer.StartAsync();
        server.Answers.Enqueue(503);
        server.Answers.Enqueue(429);
        await using var broker = await StartAsync(server.Url);

        await ConnectAsync(broker, "c");

        List<WebhookServer.Received> attempts = [await server.NextAsync(), await server.NextAsync(), await server.NextAsync()];
        Assert.All(attempts, attempt => Assert.Equal((attempts[0].Batch, "client.connected c"), (attempt.Batch, attempt.Names.Single())));
    }

    [Fact]
    public async Task Batch_that_the_server_refuses_is_lost_and_counted_and_the_next_one_goes()
    {
        using var lost = new LostEvents();
        await using var server = await WebhookServer.StartAsync();
        server.Answers.Enqueue(400);
        await using var broker = await StartAsync(server.Url);

        await ConnectAsync(broker, "refused");
        await server.NextAsync();
        await Eventually.TrueAsync(() => lost.Count == 1, Limit, () => "one event is counted");
        await ConnectAsync(broker, "taken");

        Assert.Equal(["client.connected taken"], (await server.NextAsync()).Names);
    }

    [Fact]
    public async Task Server_that_hangs_costs_a_bounded_queue_and_no_client()
    {
        using var lost = new LostEvents();
        await using var server = await WebhookServer.StartAsync();
        var gate = new TaskCompletionSource();
        server.Gate = gate.Task;
        await using var broker = await StartAsync(server.Url, options =>
        {
            options.MaxQueued = 3;
            options.Timeout = Patient;
        });

        try
        {
            await ConnectAsync(broker, "first");
            await server.NextAsync();
            for (var i = 0; i < 8; i++)
            {
                await ConnectAsync(broker, $"{i}");
            }

            Assert.Equal(5, lost.Count);
            gate.SetResult();
            Assert.Equal(["client.connected 0", "client.connected 1", "client.connected 2"], (await server.NextAsync()).Names);
        }
        finally
        {
            gate.TrySetResult();
        }
    }

    [Fact]
    public async Task Server_that_hangs_takes_a_part_of_the_stop_only_and_what_it_did_not_take_is_counted()
    {
        using var lost = new LostEvents();
        await using var server = await WebhookServer.StartAsync();
        var gate = new TaskCompletionSource();
        server.Gate = gate.Task;
        try
        {
            await using var broker = await StartAsync(server.Url, static o => o.Timeout = Patient, static o => o.Shutdown.StopTimeout = TimeSpan.FromSeconds(8));
            await ConnectAsync(broker, "asked");
            await server.NextAsync();
            await ConnectAsync(broker, "waits");

            var clock = Stopwatch.StartNew();
            await broker.StopAsync();

            // A quarter of 8 s, not the minute that a request may take.
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
            Assert.Equal(2, lost.Count);
        }
        finally
        {
            gate.TrySetResult();
        }
    }

    [Fact]
    public async Task Of_an_answer_without_end_no_more_is_read_than_its_status()
    {
        await using var server = await WebhookServer.StartAsync();
        server.IsEndless = true;
        await using var broker = await StartAsync(server.Url, static o => o.Timeout = Patient);

        await ConnectAsync(broker, "first");
        var first = await server.NextAsync();
        await ConnectAsync(broker, "second");
        var second = await server.NextAsync();

        Assert.Equal(["client.connected first"], first.Names);
        Assert.Equal(["client.connected second"], second.Names);
    }

    [Fact]
    public async Task Address_is_logged_without_user_info_and_query()
    {
        await using var server = await WebhookServer.StartAsync();
        server.Answers.Enqueue(503);
        server.Answers.Enqueue(400);
        var address = new Uri(server.Url);
        var lines = new ConcurrentQueue<string>();
        await using var broker = await StartAsync(
            $"http://ann:secret@{address.Authority}/events?key=secret", extend: services => services.AddSingleton<ILoggerProvider>(new Lines(lines)));

        await ConnectAsync(broker, "c");

        await Eventually.TrueAsync(() => lines.Any(static l => l.Contains("are lost", StringComparison.Ordinal)), Limit, () => string.Join('\n', lines));
        await ConnectAsync(broker, "d");
        await Eventually.TrueAsync(() => lines.Any(static l => l.Contains("takes events again", StringComparison.Ordinal)), Limit, () => string.Join('\n', lines));
        var told = lines.Where(static l => l.StartsWith("Webhook ", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, told.Count);
        Assert.All(told, line => Assert.Contains($"http://{address.Authority}/events", line, StringComparison.Ordinal));
        Assert.DoesNotContain(lines, static line => line.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Server_has_to_show_a_certificate_that_is_trusted(bool isTrusted)
    {
        using var folder = new TemporaryFolder();
        using var authority = NewAuthority();
        using var other = NewAuthority();
        await File.WriteAllTextAsync(folder.File("ca.pem"), (isTrusted ? authority : other).ExportCertificatePem());
        using var certificate = Issue(authority);
        using var lost = new LostEvents();
        await using var server = await WebhookServer.StartAsync(certificate);
        await using var broker = await StartAsync(server.Url, options =>
        {
            options.CaFile = folder.File("ca.pem");
            options.RetryFor = TimeSpan.Zero;
        });

        await ConnectAsync(broker, "c");

        if (isTrusted)
        {
            Assert.Equal(["client.connected c"], (await server.NextAsync()).Names);
        }
        else
        {
            await Eventually.TrueAsync(() => lost.Count == 1, Limit, () => "the event is counted as lost");
        }
    }

    private static Task<InProcessBroker> StartAsync(
        string url, Action<WebhookOptions>? configure = null, Action<BrokerOptions>? more = null, Action<IServiceCollection>? extend = null) =>
        InProcessBroker.StartAsync(
            extend ?? (static _ => { }),
            options =>
            {
                options.Webhook.Url = url;
                options.Webhook.Events = "client.connected";
                configure?.Invoke(options.Webhook);
                more?.Invoke(options);
            });

    private static async Task ConnectAsync(InProcessBroker broker, string clientId)
    {
        await using var client = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions { ClientId = clientId });
        await client.PingAsync();
    }

    private static X509Certificate2 NewAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), [1, 2, 3]);
        using var withKey = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>What <c>broker.hooks.untold</c> says of the webhook.</summary>
    private sealed class Lines(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }

    private sealed class LostEvents : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public LostEvents()
        {
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == "broker.hooks.untold")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _count, value));
            _listener.Start();
        }

        public long Count => Interlocked.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }
}
