using System.Text;
using System.Text.Json;
using Broker.Gateway.Auth;
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

    public static void MapPublish(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var publisher = services.GetRequiredService<HttpPublisher>();
        var users = services.GetRequiredService<AuthenticationChain>();
        var administrator = services.GetRequiredService<AdminAccess>();
        RequestDelegate post = context => PublishAsync(context, publisher, users, administrator);
        routes.MapPost(Path, post);
    }

    private static async Task PublishAsync(HttpContext context, HttpPublisher publisher, AuthenticationChain users, AdminAccess administrator)
    {
        // A web page can have a browser on this machine post forms and texts, but not this without asking.
        if (!context.Request.HasJsonContentType())
        {
            await context.Response.RefuseAsync("Content-Type: application/json", StatusCodes.Status415UnsupportedMediaType);
            return;
        }

        if (await UserAsync(context, users, administrator) is not { } user)
        {
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"broker\", charset=\"UTF-8\"";
            await context.Response.RefuseAsync("a user of the broker, by HTTP Basic", StatusCodes.Status401Unauthorized);
            return;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxBody;
        }

        JsonDocument body;
        try
        {
            body = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted);
        }
        catch (JsonException error)
        {
            await context.Response.RefuseAsync($"the body is no JSON: {error.Message}");
            return;
        }

        using (body)
        {
            await AnswerAsync(context, publisher, user, body.RootElement);
        }
    }

    private static async Task AnswerAsync(HttpContext context, HttpPublisher publisher, ClientIdentity user, JsonElement body)
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
            var client = request.ClientId is { Length: > 0 } id ? user with { ClientId = id } : user;
            answers.Add(await publisher.PublishAsync(client, request, context.RequestAborted));
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

    private static async ValueTask<ClientIdentity?> UserAsync(HttpContext context, AuthenticationChain users, AdminAccess administrator)
    {
        var address = RemoteAddress.Of(new System.Net.IPEndPoint(context.Connection.RemoteIpAddress ?? System.Net.IPAddress.None, 0));
        var header = context.Request.Headers.Authorization.ToString();
        if (!AdminAccess.IsLocal(context))
        {
            // Nobody is taken for a client on this machine who comes through a proxy on it, or by a foreign page's name for it.
            address = System.Net.IPAddress.None;
        }

        if (administrator.HasCredentials(header))
        {
            return new ClientIdentity("http", administrator.Name, address);
        }

        if (!TryReadBasic(header, out var name, out var password))
        {
            return null;
        }

        var request = new AuthenticationRequest("http", name, password, address, ProtocolVersion.Mqtt5);
        var result = await users.AuthenticateAsync(request, context.RequestAborted);
        return result.IsAllowed ? new ClientIdentity($"http-{result.UserName ?? "anonymous"}", result.UserName, address) : null;
    }

    private static bool TryReadBasic(string header, out string? name, out ReadOnlyMemory<byte>? password)
    {
        (name, password) = (null, null);
        if (header.Length == 0)
        {
            return true;
        }

        if (!header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var decoded = new byte[header.Length];
        if (!Convert.TryFromBase64String(header["Basic ".Length..].Trim(), decoded, out var length))
        {
            return false;
        }

        var colon = decoded.AsSpan(0, length).IndexOf((byte)':');
        if (colon < 0)
        {
            return false;
        }

        name = Encoding.UTF8.GetString(decoded, 0, colon);
        password = decoded.AsMemory(colon + 1, length - colon - 1);
        return true;
    }
}
