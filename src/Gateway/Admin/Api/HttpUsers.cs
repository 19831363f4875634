using System.Net;
using System.Text;
using Broker.Gateway.Auth;
using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Admin.Api;

/// <summary>Whom a request that publishes comes from.</summary>
internal sealed class HttpUsers(AuthenticationChain users, AdminAccess administrator)
{
    /// <summary>Reads the credentials, without asking whether they are right. Null when they are none that can be read.</summary>
    public HttpUser? Find(HttpContext context)
    {
        var address = RemoteAddress.Of(new IPEndPoint(context.Connection.RemoteIpAddress ?? IPAddress.None, 0));
        var header = context.Request.Headers.Authorization.ToString();
        if (!AdminAccess.IsLocal(context))
        {
            // Nobody is taken for a client on this machine who comes through a proxy on it, or by a foreign page's name for it.
            address = IPAddress.None;
        }

        if (administrator.HasCredentials(header))
        {
            return new HttpUser(new ClientIdentity("http", administrator.Name, address));
        }

        return TryReadBasic(header, out var name, out var password) ? new HttpUser(users, name, password, address) : null;
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
