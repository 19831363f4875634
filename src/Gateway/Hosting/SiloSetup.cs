using System.Net;
using System.Net.Sockets;
using Broker.Gateway.Options;
using Microsoft.AspNetCore.Builder;
using Orleans.Configuration;
using Orleans.Dashboard;

namespace Broker.Gateway.Hosting;

/// <summary>The Orleans silo inside the process: alone for now, on a loopback port nobody needs to know.</summary>
internal static class SiloSetup
{
    private const string ServiceId = "broker";

    public static void AddSilo(this WebApplicationBuilder builder, BrokerOptions options) => builder.UseOrleans(silo =>
    {
        // Gateway port 0: MQTT clients are the only clients; no Orleans client connects from outside.
        silo.UseLocalhostClustering(FreePort(), gatewayPort: 0, serviceId: ServiceId, clusterId: ServiceId);
        silo.Configure<SiloOptions>(o => o.SiloName = Environment.MachineName);

#pragma warning disable ORLEANSEXP003 // The default directory tears down healthy sessions whenever a silo leaves.
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003

        if (options.Dashboard.Enabled)
        {
            silo.AddDashboard();
        }
    });

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
