using Broker.Grains.Alarms;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Admin.Api;

/// <summary><c>GET /api/v1/alarms</c>: the alarms of the cluster. <c>DELETE /api/v1/alarms/{id}</c>: clears one.</summary>
internal static class AlarmsEndpoint
{
    private const string Path = ApiAnswers.Prefix + "/alarms";

    public static void MapAlarms(this IEndpointRouteBuilder routes)
    {
        var alarms = routes.ServiceProvider.GetRequiredService<AlarmService>();
        RequestDelegate list = context => ListAsync(context.Response, alarms);
        RequestDelegate clear = context => ClearAsync(context, alarms);
        routes.MapGet(Path, list);
        routes.MapDelete(Path + "/{**id}", clear);
    }

    private static Task ListAsync(HttpResponse response, AlarmService alarms)
    {
        var all = alarms.List().ToLookup(static alarm => alarm.ClearedAt is null, AlarmRow.Of);
        return response.AnswerAsync(new AlarmsAnswer([.. all[true]], [.. all[false]]), ApiJson.Default.AlarmsAnswer);
    }

    private static Task ClearAsync(HttpContext context, AlarmService alarms)
    {
        var id = context.Request.RouteValues["id"] as string ?? "";
        if (!alarms.Clear(id))
        {
            return context.Response.RefuseAsync($"no alarm '{id}' is raised", StatusCodes.Status404NotFound);
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
