using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Connections;

/// <summary>Kestrel's way into the broker: one <see cref="ClientConnection"/> for each transport connection.</summary>
internal sealed class MqttConnectionHandler(ConnectionServices services) : ConnectionHandler
{
    /// <inheritdoc />
    public override Task OnConnectedAsync(ConnectionContext connection) =>
        new ClientConnection(services, connection).RunAsync();
}
