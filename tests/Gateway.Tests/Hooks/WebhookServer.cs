using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>An HTTP server that takes a webhook's requests and answers what the test says.</summary>
internal sealed class WebhookServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<Received> _received = Channel.CreateUnbounded<Received>();

    private WebhookServer(X509Certificate2? certificate)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        if (certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>Status of the next answers; 200 when there is none left.</summary>
    public Queue<int> Answers { get; } = [];

    /// <summary>Answers wait for it.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Answers have a body that does not end.</summary>
    public bool IsEndless { get; set; }

    public string Url { get; private set; } = "";

    public static async Task<WebhookServer> StartAsync(X509Certificate2? certificate = null)
    {
        var server = new WebhookServer(certificate);
        await server._app.StartAsync();
        var address = new Uri(server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        server.Url = $"{(certificate is null ? "http" : "https")}://localhost:{address.Port}/events";
        return server;
    }

    public async Task<Received> NextAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        return await _received.Reader.ReadAsync(patience.Token);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var body = await JsonDocument.ParseAsync(context.Request.Body);
        var events = body.RootElement.GetProperty("events").EnumerateArray().ToList();
        int status;
        lock (Answers)
        {
            status = Answers.Count > 0 ? Answers.Dequeue() : 200;
        }

        _received.Writer.TryWrite(new Received(
            context.Request.Headers["X-Broker-Batch"].ToString(), context.Request.Headers.Authorization.ToString(), events));
        await Gate.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        context.Response.StatusCode = status;
        while (IsEndless && !context.RequestAborted.IsCancellationRequested)
        {
            await context.Response.Body.WriteAsync(new byte[1024], context.RequestAborted).AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal sealed record Received(string Batch, string Authorization, IReadOnlyList<JsonElement> Events)
    {
        public IEnumerable<string> Names => Events.Select(static e => $"{e.GetProperty("event").GetString()} {e.GetProperty("client").GetString()}");
    }
}
