using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Admin.Api;

/// <summary><c>GET /api/v1/messages/{id}</c>: where a QoS 1 or 2 message is, and what became of it.</summary>
internal static class MessageEndpoint
{
    public static void MapMessages(this IEndpointRouteBuilder routes)
    {
        var tracer = routes.ServiceProvider.GetRequiredService<MessageTracer>();
        RequestDelegate find = context => FindAsync(context, tracer);
        routes.MapGet(ApiAnswers.Prefix + "/messages/{id}", find);
    }

    private static async Task FindAsync(HttpContext context, MessageTracer tracer)
    {
        if (!MessageId.TryParse(context.Request.RouteValues["id"] as string ?? "", out var id))
        {
            await context.Response.RefuseAsync("id: a message id, 32 hexadecimal digits");
            return;
        }

        var (places, missing) = await tracer.FindAsync(id, context.RequestAborted);
        await context.Response.AnswerAsync(
            new MessageAnswer(
                id.ToString(),
                DateTimeOffset.UnixEpoch.AddMicroseconds(id.TimestampMicroseconds),
                id.Node,
                [.. places.Select(MessageRow.Of)],
                [.. missing.Select(static silo => silo.ToString())]),
            ApiJson.Default.MessageAnswer);
    }
}
