using System.Text;
using System.Text.Json;
using Broker.Gateway.Admin.Api;
using Broker.Gateway.Options;
using Broker.Grains.Diagnostics;
using Broker.Grains.Interfaces.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Tracing;

/// <summary>
/// <c>POST /api/v1/traces</c> starts a trace on all silos, <c>GET</c> lists them, <c>GET …/NAME</c> is what was written, <c>PUT …/NAME/stop</c>
/// ends one, <c>DELETE …/NAME</c> deletes its files as well.
/// </summary>
internal static class TracesEndpoint
{
    private const string Path = ApiAnswers.Prefix + "/traces";

    public static void MapTraces(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var traces = services.GetRequiredService<ClusterTraces>();
        var options = services.GetRequiredService<TraceOptions>();
        var time = services.GetRequiredService<TimeProvider>();
        RequestDelegate start = context => StartAsync(context, traces, options, time);
        RequestDelegate list = context => ListAsync(context.Response, traces, null);
        RequestDelegate read = context => ReadAsync(context, traces);
        RequestDelegate stop = context => EndAsync(context, traces, remove: false);
        RequestDelegate remove = context => EndAsync(context, traces, remove: true);
        routes.MapPost(Path, start);
        routes.MapGet(Path, list);
        routes.MapGet(Path + "/{name}", read);
        routes.MapPut(Path + "/{name}/stop", stop);
        routes.MapDelete(Path + "/{name}", remove);
    }

    private static async Task StartAsync(HttpContext context, ClusterTraces traces, TraceOptions options, TimeProvider time)
    {
        // A web page can have a browser on this machine post forms and texts, but not this without asking.
        if (!context.Request.HasJsonContentType())
        {
            await context.Response.RefuseAsync("Content-Type: application/json", StatusCodes.Status415UnsupportedMediaType);
            return;
        }

        TraceSpec spec;
        try
        {
            var request = await JsonSerializer.DeserializeAsync(context.Request.Body, ApiJson.Default.TraceRequest, context.RequestAborted);
            spec = (request ?? throw new JsonException("a trace is an object")).ToSpec(time.GetUtcNow());
        }
        catch (JsonException error)
        {
            await context.Response.RefuseAsync(error.Message);
            return;
        }

        if (TraceRules.Check(spec, options, time.GetUtcNow()) is { } wrong)
        {
            await context.Response.RefuseAsync(wrong);
            return;
        }

        var answers = await traces.StartAsync(spec);
        List<TraceRefusal> refused = [.. answers.Where(static a => a.Refusal is { Length: > 0 }).Select(static a => new TraceRefusal(a.Silo.ToString(), a.Refusal!))];
        if (!answers.Any(static a => a.Refusal is ""))
        {
            await context.Response.RefuseAsync(
                refused.Count == 0 ? "no silo answers" : string.Join("; ", refused.Select(static r => r.Error).Distinct()), StatusCodes.Status409Conflict);
            return;
        }

        await ListAsync(context.Response, traces, spec.Name, refused, StatusCodes.Status201Created);
    }

    private static async Task ListAsync(
        HttpResponse response, ClusterTraces traces, string? name, IReadOnlyList<TraceRefusal>? refused = null, int status = StatusCodes.Status200OK)
    {
        var answers = await traces.ListAsync();
        var rows = answers.SelectMany(static a => (a.Traces ?? []).Select(report => TraceRow.Of(report, a.Silo)));
        await response.AnswerAsync(
            new TracesAnswer(
                [.. rows.Where(row => name is null || row.Name == name)],
                refused ?? [],
                [.. answers.Where(static a => a.Traces is null).Select(static a => a.Silo.ToString())]),
            ApiJson.Default.TracesAnswer,
            status);
    }

    private static async Task EndAsync(HttpContext context, ClusterTraces traces, bool remove)
    {
        var name = NameOf(context);
        var answers = await traces.EndAsync(name, remove);
        if (answers.Any(static a => a.IsFound == true))
        {
            await ListAsync(context.Response, traces, name);
            return;
        }

        await RefuseUnknownAsync(context.Response, name);
    }

    /// <summary>What each silo has written, one after the other: every line begins with its time, so that sorting them merges them.</summary>
    private static async Task ReadAsync(HttpContext context, ClusterTraces traces)
    {
        var name = NameOf(context);
        var parts = await traces.ReadAsync(name);
        if (!parts.Any(static p => p.Part is { IsThere: true }))
        {
            await RefuseUnknownAsync(context.Response, name);
            return;
        }

        var response = context.Response;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        foreach (var (silo, first) in parts.Where(static p => p.Part is not { IsThere: false }))
        {
            if (parts.Count > 1)
            {
                await response.WriteAsync($"# silo {silo}\n", Encoding.UTF8, context.RequestAborted);
            }

            var part = first;
            for (var offset = 0L; part is { Bytes.Length: > 0 and var length }; part = await traces.ReadAsync(silo, name, offset))
            {
                await response.BodyWriter.WriteAsync(part.Bytes, context.RequestAborted);
                offset += length;
            }

            if (part is null)
            {
                await response.WriteAsync($"# silo {silo} does not answer\n", Encoding.UTF8, context.RequestAborted);
            }
        }
    }

    private static string NameOf(HttpContext context) => context.Request.RouteValues["name"] as string ?? "";

    private static Task RefuseUnknownAsync(HttpResponse response, string name) =>
        response.RefuseAsync($"there is no trace '{name}'", StatusCodes.Status404NotFound);
}
