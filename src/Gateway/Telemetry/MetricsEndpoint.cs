using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Telemetry;

/// <summary><c>/metrics</c>: what the instruments of the process say, for Prometheus.</summary>
internal static class MetricsEndpoint
{
    public const string Path = "/metrics";

    private const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Maps it. Counting begins here: what happened earlier is not in the counters.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder routes)
    {
        var reader = routes.ServiceProvider.GetRequiredService<MetricsReader>();
        _ = routes.ServiceProvider.GetRequiredService<SiloFigures>();
        RequestDelegate read = context =>
        {
            context.Response.ContentType = ContentType;
            context.Response.Headers.CacheControl = "no-store";
            return context.Response.WriteAsync(reader.Read());
        };
        routes.MapGet(Path, read);
    }
}
