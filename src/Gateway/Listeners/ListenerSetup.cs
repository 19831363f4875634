using Broker.Gateway.Connections;
using Broker.Gateway.Options;
using Broker.Grains.Alarms;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Broker.Gateway.Listeners;

/// <summary>Kestrel with its MQTT endpoints and the HTTP endpoint. It binds last, after silo and recovery.</summary>
internal static class ListenerSetup
{
    // 64 KiB: what one read hands to the parser. More only lets one client's burst hold the reader longer.
    private const int MaxReadBufferBytes = 64 << 10;

    public static void AddListeners(this WebApplicationBuilder builder, BrokerOptions options)
    {
        var open = new OpenListeners();
        builder.Services.AddSingleton(open);
        builder.Services.AddSingleton<DeniedConnections>();
        builder.Services.AddSingleton<ConnectionGate>();
        builder.Services.AddSingleton<IAlarmCause, ConnectionsFull>();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var (index, endpoint) in options.Listeners.Mqtt.Index())
            {
                var access = new ListenerAccess(endpoint, index, options.Limits.ConnectTimeout);
                kestrel.ListenOn(endpoint.Address, endpoint.Port, listener =>
                {
                    open.AddMqtt(listener);
                    var gate = listener.ApplicationServices.GetRequiredService<ConnectionGate>();
                    listener.Use(next => gate.Guard(next, access));
                    listener.UseConnectionHandler<MqttConnectionHandler>();
                });
            }

            kestrel.ListenOn(options.Http.Address, options.Http.Port, listener =>
            {
                listener.Protocols = HttpProtocols.Http1;
                open.SetHttp(listener);
            });
        });
        builder.Services.Configure<SocketTransportOptions>(transport =>
        {
            transport.Backlog = options.Listeners.Backlog;
            transport.MaxReadBufferSize = MaxReadBufferBytes;
            transport.MaxWriteBufferSize = options.Limits.OutboundBufferBytes;
            transport.WaitForDataBeforeAllocatingBuffer = true;
            transport.UnsafePreferInlineScheduling = true;
        });
    }

    /// <summary>Listens on an address as configuration writes it.</summary>
    internal static void ListenOn(
        this KestrelServerOptions kestrel, string address, int port, Action<ListenOptions> configure)
    {
        if (ListenAddress.TryParse(address, out var ip) && ip is not null)
        {
            kestrel.Listen(ip, port, configure);
        }
        else
        {
            kestrel.ListenAnyIP(port, configure);
        }
    }
}
