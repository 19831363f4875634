using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Connections;

/// <summary>
/// Kestrel's way into the broker: one <see cref="ClientConnection"/> for each transport connection, which is TCP and so keeps bytes
/// and their order, both ways [MQTT-4.2.0-1].
/// </summary>
internal sealed class MqttConnectionHandler(ConnectionServices services) : ConnectionHandler
{
    /// <inheritdoc />
    public override Task OnConnectedAsync(ConnectionContext connection) =>
        new ClientConnection(services, connection).RunAsync();
}
