using System.Buffers;
using System.Text.Json;
using Broker.Grains.Cluster;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Admin;

/// <summary>
/// <c>POST /api/v1/rebalance</c>: every silo with more than its share of connections sends some away, at <c>Broker:Rebalance:Rate</c>. Answers
/// at once, with what each silo is going to do.
/// </summary>
internal static class RebalanceEndpoint
{
    public const string Path = "/api/v1/rebalance";

    public static void MapRebalance(this IEndpointRouteBuilder routes)
    {
        var balance = routes.ServiceProvider.GetRequiredService<ConnectionBalance>();
        RequestDelegate run = async context =>
        {
            if (IsForeign(context.Request))
            {
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                await context.Response.WriteAsync("Not for pages of other sites.\n");
                return;
            }

            await AnswerAsync(context.Response, await balance.AllAsync());
        };
        routes.MapPost(Path, run);
    }

    /// <summary>Whether a browser sends it for a page of another site: with the credentials, or from the machine, of somebody who knows nothing of it.</summary>
    internal static bool IsForeign(HttpRequest request) =>
        request.Headers.Origin is [{ Length: > 0 } origin, ..] &&
        !(Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));

    private static async Task AnswerAsync(HttpResponse response, IReadOnlyList<(SiloAddress Silo, int? Surplus)> silos)
    {
        var body = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteStartArray("silos");
            foreach (var (silo, surplus) in silos)
            {
                json.WriteStartObject();
                json.WriteString("silo", silo.ToParsableString());
                json.WriteBoolean("answers", surplus is not null);
                json.WriteNumber("sendsAway", surplus ?? 0);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        response.StatusCode = StatusCodes.Status202Accepted;
        response.ContentType = "application/json";
        await response.BodyWriter.WriteAsync(body.WrittenMemory);
    }
}
