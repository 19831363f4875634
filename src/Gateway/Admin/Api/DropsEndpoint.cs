using System.Globalization;
using System.Text;
using Broker.Grains.Diagnostics;
using Broker.Grains.Interfaces.Diagnostics;
using Broker.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Admin.Api;

/// <summary><c>GET /api/v1/drops?client=&amp;topic=&amp;reason=&amp;limit=</c>: the loss ledgers of all silos.</summary>
internal static class DropsEndpoint
{
    private const int MaxLimit = 1000;

    public static void MapDrops(this IEndpointRouteBuilder routes)
    {
        var ledgers = routes.ServiceProvider.GetRequiredService<ClusterDrops>();
        RequestDelegate get = context => AnswerAsync(context, ledgers);
        routes.MapGet(ApiAnswers.Prefix + "/drops", get);
    }

    private static async Task AnswerAsync(HttpContext context, ClusterDrops ledgers)
    {
        if (!TryRead(context.Request.Query, out var query, out var error))
        {
            await context.Response.RefuseAsync(error);
            return;
        }

        var reports = await ledgers.FindAsync(query);
        await context.Response.AnswerAsync(Merge(reports, query.Limit), ApiJson.Default.DropsAnswer);
    }

    private static bool TryRead(IQueryCollection given, out DropQuery query, out string error)
    {
        query = new DropQuery
        {
            ClientId = Value(given, "client"),
            Filter = Value(given, "topic"),
            Reason = Value(given, "reason"),
        };
        error = "";
        if (Value(given, "limit") is { } text)
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || limit is < 1 or > MaxLimit)
            {
                error = $"limit: a number from 1 to {MaxLimit}";
                return false;
            }

            query = query with { Limit = limit };
        }

        if (query.Filter is not null && !TopicRules.IsValidFilter(Encoding.UTF8.GetBytes(query.Filter)))
        {
            error = "topic: a topic or a valid topic filter";
            return false;
        }

        if (query.Reason is not null && !Enum.GetNames<DropReason>().Contains(query.Reason, StringComparer.OrdinalIgnoreCase))
        {
            error = $"reason: one of {string.Join(", ", Enum.GetNames<DropReason>())}";
            return false;
        }

        return true;
    }

    private static string? Value(IQueryCollection given, string name) =>
        given.TryGetValue(name, out var values) && values.ToString() is { Length: > 0 } text ? text : null;

    private static DropsAnswer Merge(IReadOnlyList<(SiloAddress Silo, DropReport? Report)> reports, int limit)
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (reason, count) in reports.SelectMany(static r => r.Report?.Counts ?? []))
        {
            counts[reason] = counts.GetValueOrDefault(reason) + count;
        }

        var rows = reports
            .SelectMany(static r => (r.Report?.Totals ?? []).Select(total => ToRow(total, r.Silo)))
            .OrderByDescending(static row => row.Last)
            .ToList();
        return new DropsAnswer(
            counts,
            rows.Count > limit ? rows[..limit] : rows,
            reports.Sum(static r => r.Report?.Forgotten ?? 0),
            rows.Count > limit || reports.Any(static r => r.Report is { HasMore: true }),
            [.. reports.Where(static r => r.Report is null).Select(static r => r.Silo.ToString())]);
    }

    private static DropsRow ToRow(DropTotal total, SiloAddress silo) => new(
        total.ClientId,
        total.Topic,
        total.Reason,
        total.Count,
        DateTimeOffset.FromUnixTimeMilliseconds(total.First),
        DateTimeOffset.FromUnixTimeMilliseconds(total.Last),
        total.LastMessage,
        silo.ToString());
}
