using System.Net;
using System.Net.Sockets;
using Broker.Gateway.Options;
using Broker.Grains.Options;
using Microsoft.AspNetCore.Builder;
using Npgsql;
using Orleans.Configuration;
using Orleans.Serialization;

namespace Broker.Gateway.Hosting;

/// <summary>The Orleans silo inside the process: alone on a loopback port, or a member of the cluster of a database.</summary>
internal static class SiloSetup
{
    private const string ServiceId = "broker";

    // MQTT clients are the only clients; no Orleans client connects from outside.
    private const int NoGateway = 0;

    // Below the ports of outgoing connections (net.ipv4.ip_local_port_range begins at 32768).
    private const int FirstFreePort = 15_000;
    private const int LastFreePort = 32_000;
    private const int PortAttempts = 100;

    // Three misses of a probe a second: a silo that does not answer is found dead in 2 to 3 s, one whose process has ended sooner (EndedSilos).
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(1);

    // When all silos were killed, their rows say Active. The next one does not wait for rows older than three of these.
    private static readonly TimeSpan AliveNote = TimeSpan.FromSeconds(2);

    public static void AddSilo(this WebApplicationBuilder builder, BrokerOptions options) => builder.UseOrleans(silo =>
    {
        if (options.Store.Kind == StoreKind.Postgres)
        {
            silo.AddMembership(options);
        }
        else
        {
            silo.UseLocalhostClustering(FreePort(IPAddress.Loopback), NoGateway, serviceId: ServiceId, clusterId: ServiceId);
            silo.AddGrainStorage();
            silo.SetName(options.Sys, Environment.MachineName);
        }

        // What a silo refuses another one, it is told: without this only that the exception cannot be sent.
        silo.Services.Configure<ExceptionSerializationOptions>(o => o.SupportedNamespacePrefixes.Add("Broker"));

#pragma warning disable ORLEANSEXP003 // The default directory tears down healthy sessions whenever a silo leaves.
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003

        if (options.Dashboard.Enabled)
        {
            silo.AddBrokerDashboard();
        }
    });

    /// <summary>What the dashboard calls it, and the topics below <c>$SYS</c>.</summary>
    private static void SetName(this ISiloBuilder silo, SysOptions options, string usual) =>
        silo.Configure<SiloOptions>(o => o.SiloName = options.Node.Length > 0 ? options.Node : usual);

    private static void AddMembership(this ISiloBuilder silo, BrokerOptions options)
    {
        var connection = options.Store.ConnectionString!;
        var address = IPAddress.TryParse(options.Cluster.Address, out var given) ? given : AddressTowards(connection);
        var port = options.Cluster.Port == 0 ? FreePort(address) : options.Cluster.Port;
        silo.UseAdoNetClustering(o =>
        {
            o.Invariant = "Npgsql";
            o.ConnectionString = connection;
        });
        silo.AddGrainStorage(connection);
        silo.SetName(options.Sys, $"{Environment.MachineName}@{port}");
        silo.Services.AddSingleton<IFatalErrorHandler, DeclaredDead>();
        silo.Configure<Orleans.Configuration.ClusterOptions>(o =>
        {
            o.ServiceId = ServiceId;
            o.ClusterId = options.Cluster.Name;
        });
        silo.Configure<EndpointOptions>(o =>
        {
            o.AdvertisedIPAddress = address;
            o.SiloPort = port;
            o.GatewayPort = NoGateway;
            o.SiloListeningEndpoint = new IPEndPoint(IPAddress.IsLoopback(address) ? address : IPAddress.Any, port);
        });
        silo.Configure<ClusterMembershipOptions>(o =>
        {
            o.ProbeTimeout = Probe;
            o.TableRefreshTimeout = TimeSpan.FromSeconds(10);
            o.IAmAliveTablePublishTimeout = AliveNote;

            // A frozen silo keeps its connections: data received lately says nothing about it.
            o.EnableConnectionLivenessCheck = false;
        });

        // Promise 4 is kept by the store's epochs, so the directory need not wait for a silo that may still run.
        silo.Configure<GrainDirectoryOptions>(o => o.RangeLeaseDuration = TimeSpan.Zero);
    }

    /// <summary>The address that this machine has on its way to the database, which the other silos reach as well.</summary>
    private static IPAddress AddressTowards(string connectionString)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString);
        var host = database.Host!.Split(',')[0];
        if (host.StartsWith('/'))
        {
            // A socket file: the database is on this machine, and so are the other silos.
            return IPAddress.Loopback;
        }

        try
        {
            using var socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(host.Split(':')[0], database.Port);
            var local = ((IPEndPoint)socket.LocalEndPoint!).Address;
            return local.IsIPv4MappedToIPv6 ? local.MapToIPv4() : local;
        }
        catch (SocketException failure)
        {
            throw new StartupException(
                $"no address of this machine leads to the database host {host} ({failure.Message}); "
                    + "set Broker:Cluster:Address to the one that other silos reach this one at",
                failure);
        }
    }

    /// <summary>
    /// A port that nobody listens on. Not one that the system would choose: it takes those from the range of outgoing connections,
    /// and may give the same one away again before the silo listens.
    /// </summary>
    private static int FreePort(IPAddress address)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = Random.Shared.Next(FirstFreePort, LastFreePort);
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(address, port));
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse && attempt < PortAttempts)
            {
                // Somebody listens there; the next one is as good.
            }
        }
    }
}
