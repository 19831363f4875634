using System.Text.Json;
using Broker.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Broker.Gateway.Admin.Api;

/// <summary>
/// <c>POST /api/v1/publish</c>, one message or a list: for users of the broker, not for its administrator only. Whoever sends a name and a
/// password is asked for as at CONNECT; the administrator's token counts as well; without, it is for whom MQTT lets in without.
/// </summary>
internal static class PublishEndpoint
{
    /// <summary>Not behind <see cref="AdminAccess"/>: it asks by itself.</summary>
    public const string Path = ApiAnswers.Prefix + "/publish";

    private const int MaxBatch = 1000;

    // 16 MiB: many messages of the largest size that is usual.
    private const int MaxBody = 16 << 20;

    // A publish takes milliseconds; whoever comes back after a second finds room if there is any.
    private const string RetryAfterSeconds = "1";

    public static void MapPublish(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var publisher = services.GetRequiredService<HttpPublisher>();
        var users = services.GetRequiredService<HttpUsers>();
        var gate = services.GetRequiredService<PublishGate>();
        RequestDelegate post = context => PublishAsync(context, publisher, users, gate);
        routes.MapPost(Path, post);
    }

    private static async Task PublishAsync(HttpContext context, HttpPublisher publisher, HttpUsers users, PublishGate gate)
    {
        // A web page can have a browser on this machine post forms and texts, but not this without asking.
        if (!context.Request.HasJsonContentType())
        {
            await context.Response.RefuseAsync("Content-Type: application/json", StatusCodes.Status415UnsupportedMediaType);
            return;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, gate.Over);
        try
        {
            if (users.Find(context) is not { } user || await user.AsAsync(user.DefaultId, over.Token) is null)
            {
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"broker\", charset=\"UTF-8\"";
                await context.Response.RefuseAsync("a user of the broker, by HTTP Basic", StatusCodes.Status401Unauthorized);
                return;
            }

            // Known users only: nobody else can take their places.
            if (!gate.TryEnter())
            {
                await TellFullAsync(context.Response, gate.IsClosed);
                return;
            }

            try
            {
                await ReadAsync(context, publisher, user, over.Token);
            }
            finally
            {
                gate.Exit();
            }
        }
        catch (OperationCanceledException) when (gate.Over.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            await TellFullAsync(context.Response, isClosed: true);
        }
    }

    private static Task TellFullAsync(HttpResponse response, bool isClosed)
    {
        response.Headers.RetryAfter = RetryAfterSeconds;
        return response.RefuseAsync(
            isClosed ? "the broker is stopping" : "as many requests as may publish at a time are under way",
            StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task ReadAsync(HttpContext context, HttpPublisher publisher, HttpUser user, CancellationToken cancellationToken)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxBody;
        }

        JsonDocument body;
        try
        {
            body = await JsonDocument.ParseAsync(context.Request.Body, default, cancellationToken);
        }
        catch (JsonException error)
        {
            await context.Response.RefuseAsync($"the body is no JSON: {error.Message}");
            return;
        }

        using (body)
        {
            await AnswerAsync(context, publisher, user, body.RootElement, cancellationToken);
        }
    }

    private static async Task AnswerAsync(
        HttpContext context, HttpPublisher publisher, HttpUser user, JsonElement body, CancellationToken cancellationToken)
    {
        if (body.ValueKind == JsonValueKind.Array && body.GetArrayLength() > MaxBatch)
        {
            await context.Response.RefuseAsync($"at most {MaxBatch} messages");
            return;
        }

        // All of them are read before the first is published: who is told that one is wrong sends all of them again.
        List<PublishRequest> requests;
        try
        {
            requests = body.ValueKind == JsonValueKind.Array
                ? [.. body.EnumerateArray().Select(Read)]
                : [Read(body)];
        }
        catch (JsonException error)
        {
            await context.Response.RefuseAsync(error.Message);
            return;
        }

        // One after the other: they reach subscribers in the order of the list.
        var answers = new List<PublishAnswer>();
        foreach (var request in requests)
        {
            answers.Add(await publisher.PublishAsync(user, request, cancellationToken));
        }

        if (body.ValueKind == JsonValueKind.Array)
        {
            await context.Response.AnswerAsync(answers, ApiJson.Default.ListPublishAnswer);
            return;
        }

        await context.Response.AnswerAsync(answers[0], ApiJson.Default.PublishAnswer, StatusOf(answers[0]));
    }

    private static PublishRequest Read(JsonElement element)
    {
        var request = element.Deserialize(ApiJson.Default.PublishRequest) ?? throw new JsonException("a message is an object");

        // Of lists the reader checks no elements.
        return request.Properties?.UserProperties.Any(static p => p is null) == true
            ? throw new JsonException("a user property is an object")
            : request;
    }

    private static int StatusOf(PublishAnswer answer) => (ReasonCode)answer.Code switch
    {
        < ReasonCode.UnspecifiedError => StatusCodes.Status200OK,
        ReasonCode.NotAuthorized => StatusCodes.Status403Forbidden,
        ReasonCode.PayloadFormatInvalid => StatusCodes.Status400BadRequest,
        _ => StatusCodes.Status503ServiceUnavailable,
    };
}
