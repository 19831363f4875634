using System.Net;
using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.Admin.Api;
using Broker.Gateway.Auth;
using Broker.Gateway.Options;
using Broker.Gateway.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Admin;

/// <summary>
/// The door before everything the HTTP side serves, except health, publishing, which is for users, and metrics where they are for anyone. Without an
/// administrator it opens to this machine only; with
/// one it opens, from everywhere, to HTTP Basic or a bearer token.
/// </summary>
internal sealed class AdminAccess(AdminOptions options, MetricsOptions metrics)
{
    // Those that proxies and balancers say it with; some say it only when told to (docs/http-api.md).
    private static readonly string[] ProxyHeaders = ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"];

    private readonly byte[]? _basic = options.User is null || options.Password is null
        ? null
        : Digest(Encoding.UTF8.GetBytes($"{options.User}:{options.Password}"));

    private readonly byte[]? _token = options.Token is null ? null : Digest(Encoding.UTF8.GetBytes(options.Token));

    /// <summary>Name of the administrator; null when there is none, or only a token.</summary>
    internal string? Name => options.User;

    /// <summary>Middleware: lets the request through or answers it.</summary>
    public Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path;
        if (path.StartsWithSegments(HealthEndpoints.Prefix, StringComparison.Ordinal)
            || path.Equals(PublishEndpoint.Path, StringComparison.Ordinal)
            || (metrics.Access == MetricsAccess.Anyone && path.Equals(MetricsEndpoint.Path, StringComparison.Ordinal)))
        {
            return next(context);
        }

        if (options.IsConfigured)
        {
            return HasCredentials(context.Request.Headers.Authorization.ToString())
                ? next(context)
                : ChallengeAsync(context.Response);
        }

        return IsLocal(context) ? next(context) : RefuseAsync(context.Response);
    }

    /// <summary>Whether an Authorization header names the administrator. Compares digests: takes as long for every wrong value.</summary>
    internal bool HasCredentials(string authorization)
    {
        var space = authorization.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0)
        {
            return false;
        }

        var scheme = authorization[..space];
        var credentials = authorization[(space + 1)..].Trim();
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return Matches(_token, Encoding.UTF8.GetBytes(credentials));
        }

        var decoded = new byte[credentials.Length];
        return scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) &&
            Convert.TryFromBase64String(credentials, decoded, out var length) &&
            Matches(_basic, decoded.AsSpan(0, length));
    }

    /// <summary>
    /// Whether a request comes from this machine and means this machine. A proxy beside the broker speaks for others; and a Host that
    /// is not this machine's name is a foreign web page that had its own name point here.
    /// </summary>
    internal static bool IsLocal(HttpContext context)
    {
        var peer = context.Connection.RemoteIpAddress;
        var host = context.Request.Host.Host;
        return peer is not null && IPAddress.IsLoopback(RemoteAddress.Of(new IPEndPoint(peer, 0))) &&
            !ProxyHeaders.Any(context.Request.Headers.ContainsKey) &&
            (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ||
                (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)));
    }

    private static bool Matches(byte[]? expected, ReadOnlySpan<byte> given) =>
        expected is not null && CryptographicOperations.FixedTimeEquals(expected, Digest(given));

    private static byte[] Digest(ReadOnlySpan<byte> secret) => SHA256.HashData(secret);

    private static Task ChallengeAsync(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status401Unauthorized;
        response.Headers.WWWAuthenticate = "Basic realm=\"broker\", charset=\"UTF-8\"";
        return response.WriteAsync("Administrator only: HTTP Basic or a bearer token.\n");
    }

    private static Task RefuseAsync(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status403Forbidden;
        return response.WriteAsync(
            "Open to this machine only, until Broker:Admin:User and Broker:Admin:Password (or Broker:Admin:Token) are set.\n");
    }
}
