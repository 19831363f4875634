using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Admin;

/// <summary>
/// <c>/health/live</c>: the process answers; looks at nothing else, so that a store that is down gets no broker restarted.
/// <c>/health/ready</c>: clients may be sent here; 503 and the causes when not.
/// </summary>
internal static class HealthEndpoints
{
    public const string Prefix = "/health";
    public const string Live = Prefix + "/live";
    public const string Ready = Prefix + "/ready";

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        RequestDelegate live = context => AnswerAsync(context.Response, "live", []);
        routes.MapGet(Live, live);

        var checks = routes.ServiceProvider.GetServices<IReadinessCheck>().ToArray();
        RequestDelegate ready = context =>
        {
            List<string> causes = [.. checks.Select(check => check.Obstacle).OfType<string>()];
            return AnswerAsync(context.Response, causes.Count == 0 ? "ready" : "not ready", causes);
        };
        routes.MapGet(Ready, ready);
    }

    internal static async Task AnswerAsync(HttpResponse response, string status, List<string> causes)
    {
        var body = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("status", status);
            json.WriteStartArray("causes");
            foreach (var cause in causes)
            {
                json.WriteStringValue(cause);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        response.StatusCode = causes.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        await response.BodyWriter.WriteAsync(body.WrittenMemory);
    }
}
