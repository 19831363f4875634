using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Broker.Grains.Storage.Postgres.Schema;
using Npgsql;

namespace Broker.Grains.Tests.Storage;

/// <summary>
/// A PostgreSQL server of the tests' own, made from the installed binaries in a temporary folder. Its tables are those of
/// <c>deploy/sql</c>; each test gets a database with them.
/// </summary>
internal sealed class PostgresTestServer : IAsyncDisposable
{
    private const string Template = "template_broker";

    private static readonly Lazy<Task<PostgresTestServer>> SharedServer = new(StartSharedAsync);

    // initdb takes longer than to copy what it has made.
    private static readonly Lazy<Task<string>> NewData = new(MakeDataAsync);
    private static int _databases;

    private readonly string _binaries;
    private readonly string _directory;
    private readonly int _port;
    private readonly string? _namespace;
    private readonly IPAddress _address;
    private readonly Lazy<Task> _template;

    private PostgresTestServer(string binaries, string directory, int port, string? networkNamespace, IPAddress? address)
    {
        _binaries = binaries;
        _directory = directory;
        _port = port;
        _namespace = networkNamespace;
        _address = address ?? IPAddress.Loopback;
        _template = new Lazy<Task>(MakeTemplateAsync);
    }

    /// <summary>One server for all tests that do not disturb it; it ends with the process.</summary>
    public static Task<PostgresTestServer> SharedAsync() => SharedServer.Value;

    /// <param name="networkNamespace">Network namespace that the server runs in; null: that of the tests.</param>
    /// <param name="address">Its address there; not given: loopback.</param>
    public static async Task<PostgresTestServer> StartNewAsync(string? networkNamespace = null, IPAddress? address = null)
    {
        var data = await NewData.Value;
        var directory = await NewFolderAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var server = new PostgresTestServer(FindBinaries(), directory, port, networkNamespace, address);
        await RunAsync("cp", "-a", data, server.Data);
        await File.AppendAllTextAsync(Path.Combine(server.Data, "pg_hba.conf"), $"host all all {server._address}/24 trust\n");
        await server.StartAsync();
        return server;
    }

    private string Data => Path.Combine(_directory, "data");

    private string PgCtl => Path.Combine(_binaries, "pg_ctl");

    /// <summary>Starts the server, after a crash with recovery, and waits until it answers.</summary>
    public Task StartAsync() => AsServerUserAsync(
        _namespace, PgCtl, "-D", Data, "-w", "-t", "60", "-l", Path.Combine(_directory, "log"), "-o",
        $"-p {_port} -c listen_addresses={_address} -c unix_socket_directories={_directory} -c shared_buffers=32MB -c max_connections=60",
        "start");

    /// <summary>The server dies at once, without a checkpoint: what it did not write to its log is gone.</summary>
    public Task CrashAsync() => AsServerUserAsync(null, PgCtl, "-D", Data, "-w", "-m", "immediate", "stop");

    /// <summary>SIGKILL of the first process; the others end when they notice. Recovery is due at the next start.</summary>
    public async Task KillAsync()
    {
        var processes = await ProcessesAsync();
        await RunAsync("kill", "-KILL", processes[0]);
        while (processes.Skip(1).Any(static process => Directory.Exists($"/proc/{process}")))
        {
            await Task.Delay(20);
        }
    }

    /// <summary>Stops or continues every process of the server: connections stay open and nothing answers.</summary>
    public async Task FreezeAsync(bool frozen)
    {
        // The first one first, so that no new one comes in between; and last, so that they are all there when it looks.
        var processes = await ProcessesAsync();
        if (frozen)
        {
            await RunAsync("kill", "-STOP", processes[0]);
            processes = await ProcessesAsync();
        }

        // One that ends meanwhile is none to be stopped.
        await RunAsync("/bin/sh", "-c", $"kill {(frozen ? "-STOP" : "-CONT")} {string.Join(' ', processes.Skip(1).Append(processes[0]))}; true");
    }

    /// <summary>Lets the server run for a part of the time only.</summary>
    /// <param name="share">Part of the time, above 0 and below 1.</param>
    public async Task SlowAsync(TimeSpan time, double share)
    {
        var period = TimeSpan.FromMilliseconds(250);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.Elapsed < time)
        {
            await FreezeAsync(frozen: true);
            await Task.Delay(period * (1 - share));
            await FreezeAsync(frozen: false);
            await Task.Delay(period * share);
        }
    }

    /// <summary>The server's processes, the first one first.</summary>
    private async Task<string[]> ProcessesAsync()
    {
        var first = (await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid")))[0].Trim();
        var children = await File.ReadAllTextAsync($"/proc/{first}/task/{first}/children");
        return [first, .. children.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
    }

    /// <summary>A new database with the broker's tables; its connection string.</summary>
    /// <param name="template">What it begins with; <c>template1</c> is without the tables.</param>
    public async Task<string> CreateDatabaseAsync(string template = Template)
    {
        if (template == Template)
        {
            await _template.Value;
        }

        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _databases)}");
        await ExecuteAsync(ConnectionString("postgres"), $"CREATE DATABASE {name} TEMPLATE {template}");
        return ConnectionString(name);
    }

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
        {
            await FreezeAsync(frozen: false);
            await CrashAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Runs a statement on a connection of its own and returns its first value.</summary>
    public static async Task<T> ScalarAsync<T>(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Runs statements on a connection of its own.</summary>
    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<PostgresTestServer> StartSharedAsync()
    {
        var server = await StartNewAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return server;
    }

    /// <summary>The files of a server that has never run. They go with the process.</summary>
    private static async Task<string> MakeDataAsync()
    {
        var folder = await NewFolderAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        var data = Path.Combine(folder, "data");
        await AsServerUserAsync(null, Path.Combine(FindBinaries(), "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync");
        return data;
    }

    /// <summary>A folder of the user that the server runs as.</summary>
    private static async Task<string> NewFolderAsync()
    {
        var folder = Directory.CreateTempSubdirectory("broker-pg-").FullName;
        if (Environment.UserName == "root")
        {
            await RunAsync("chown", "postgres", folder);
        }

        return folder;
    }

    private async Task MakeTemplateAsync()
    {
        await ExecuteAsync(ConnectionString("postgres"), $"CREATE DATABASE {Template}");
        await SchemaMigration.RunAsync(ConnectionString(Template), CancellationToken.None);
    }

    private static string FindBinaries()
    {
        const string Debian = "/usr/lib/postgresql";
        var folders = Directory.Exists(Debian)
            ? Directory.GetDirectories(Debian).Select(version => Path.Combine(version, "bin")).OrderDescending(StringComparer.Ordinal)
            : Enumerable.Empty<string>();
        return folders.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
                .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")))
            ?? throw new InvalidOperationException("These tests need the server programs of PostgreSQL 15 or later (initdb, pg_ctl).");
    }

    private string ConnectionString(string database) =>
        $"Host={_address};Port={_port};Username=postgres;Database={database}";

    /// <summary>PostgreSQL refuses to run as root.</summary>
    private static Task AsServerUserAsync(string? networkNamespace, string program, params string[] arguments)
    {
        List<string> command = [program, .. arguments];
        if (Environment.UserName == "root")
        {
            command.InsertRange(0, ["runuser", "-u", "postgres", "--"]);
        }

        if (networkNamespace is not null)
        {
            command.InsertRange(0, ["ip", "netns", "exec", networkNamespace]);
        }

        return RunAsync(command[0], [.. command.Skip(1)]);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        // Not redirected: the server would inherit the pipes, and whoever reads them would wait for its end.
        using var process = Process.Start(new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", "\"$0\" \"$@\" >/dev/null 2>&1", program },
            WorkingDirectory = "/tmp",
        }.With(arguments))!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
        }
    }
}
