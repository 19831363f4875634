using System.Net;
using Broker.Gateway.Auth;
using Broker.Protocol;

namespace Broker.Gateway.Admin.Api;

/// <summary>
/// The user of one request, and the clients it publishes for. Whoever may be a client at CONNECT may be it here: each Client Identifier is
/// asked about once, with the request's credentials.
/// </summary>
internal sealed class HttpUser
{
    private readonly AuthenticationChain? _users;
    private readonly string? _name;
    private readonly ReadOnlyMemory<byte>? _password;
    private readonly ClientIdentity _default;
    private readonly Dictionary<string, ClientIdentity?> _known = [];

    /// <summary>Somebody with a name and a password, or without.</summary>
    public HttpUser(AuthenticationChain users, string? name, ReadOnlyMemory<byte>? password, IPAddress address)
    {
        (_users, _name, _password) = (users, name, password);
        _default = new ClientIdentity($"http-{name ?? "anonymous"}", name, address);
    }

    /// <summary>The administrator, who may publish for any client.</summary>
    public HttpUser(ClientIdentity administrator) => _default = administrator;

    /// <summary>Client Identifier of what the request publishes without naming one.</summary>
    public string DefaultId => _default.ClientId;

    /// <summary>Who the user is as a client; null when it may not be this one.</summary>
    public async ValueTask<ClientIdentity?> AsAsync(string id, CancellationToken cancellationToken)
    {
        if (_users is null)
        {
            return _default with { ClientId = id };
        }

        if (!_known.TryGetValue(id, out var client))
        {
            var request = new AuthenticationRequest(id, _name, _password, _default.Address, ProtocolVersion.Mqtt5);
            var result = await _users.AuthenticateAsync(request, cancellationToken).AsTask().WaitAsync(cancellationToken);
            client = result.IsAllowed ? new ClientIdentity(id, result.UserName, _default.Address) : null;
            _known.Add(id, client);
        }

        return client;
    }
}
