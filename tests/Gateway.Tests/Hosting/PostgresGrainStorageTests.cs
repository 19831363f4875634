using System.Net;
using System.Net.Sockets;
using Broker.Gateway.Hosting;
using Broker.Grains.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Storage;

namespace Broker.Gateway.Tests.Hosting;

/// <summary>State of grains in PostgreSQL, through the provider and the SQL of <c>deploy/sql</c>.</summary>
public sealed class PostgresGrainStorageTests : GrainStorageTests
{
    private string _database = "";
    private IHost _silo = null!;

    public override async Task InitializeAsync()
    {
        _database = await (await PostgresTestServer.SharedAsync()).CreateDatabaseAsync();
        await base.InitializeAsync();
    }

    protected override async Task<IGrainStorage> OpenAsync()
    {
        try
        {
            await StartSiloAsync();
        }
        catch (Exception failure) when (failure.GetBaseException() is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
        {
            // Somebody else was given the port between its choice and its use.
            _silo.Dispose();
            await StartSiloAsync();
        }

        return _silo.Services.GetRequiredService<IGrainStorage>();
    }

    protected override async Task CloseAsync()
    {
        await _silo.StopAsync();
        _silo.Dispose();
    }

    protected override Task<long> CountAsync() =>
        PostgresTestServer.ScalarAsync<long>(_database, "SELECT count(*) FROM broker_grain_state");

    private async Task StartSiloAsync()
    {
        _silo = new HostBuilder()
            .UseOrleans(silo => silo.UseLocalhostClustering(FreePort(), gatewayPort: 0).AddGrainStorage(_database))
            .Build();
        await _silo.StartAsync();
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
