using Microsoft.AspNetCore.Connections;

namespace Broker.Gateway.Connections;

/// <summary>Serves one MQTT connection for as long as it lives.</summary>
internal sealed class MqttConnectionHandler : ConnectionHandler
{
    /// <inheritdoc />
    public override Task OnConnectedAsync(ConnectionContext connection) => Task.CompletedTask;
}
