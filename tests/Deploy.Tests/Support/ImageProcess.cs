using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Broker.Grains.Tests.Storage;

namespace Broker.Deploy.Tests.Support;

/// <summary>
/// A container without a container engine: the file layout of the image as a root of its own (a mount namespace and <c>chroot</c>), which
/// is read-only but for <c>/data</c>; the user, the variables and the commands are those of deploy/Dockerfile.
/// </summary>
/// <param name="app">Folder that becomes <c>/app</c>.</param>
/// <param name="hasData">Whether there is a volume at <c>/data</c>.</param>
internal sealed class ImageProcess(string app, bool hasData) : BrokerServer
{
    // The image has nothing but the runtime; here all of /usr stands for it. Root is made read-only last, when all is mounted.
    private const string Script = """
        set -e
        root=$1 app=$2 data=$3 user=$4
        shift 4
        mount -t tmpfs none "$root"
        mkdir "$root/usr" "$root/proc" "$root/dev" "$root/etc" "$root/tmp" "$root/app" "$root/data"
        for name in bin lib lib64; do [ ! -L "/$name" ] || ln -s "usr/$name" "$root/$name"; done
        mount --bind /usr "$root/usr"
        mount --bind "$app" "$root/app"
        mount --rbind /proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount -o remount,ro,bind "$root/usr"
        mount -o remount,ro,bind "$root/app"
        [ -z "$data" ] || mount --bind "$data" "$root/data"
        mount -o remount,ro "$root"
        exec chroot --userspec="$user" --groups= "$root" "$@"
        """;

    private static readonly Dockerfile Image = Dockerfile.Read();

    private int _httpPort = FreePort();
    private bool _hasOtherPort;

    /// <summary>Why there cannot be one on this machine; null when there can.</summary>
    public static string? Obstacle { get; } = FindObstacle();

    /// <summary>Base address of the HTTP side.</summary>
    public Uri Http => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_httpPort}"));

    /// <summary>Runs the command of HEALTHCHECK, or another one of the program, in a root like that of the broker.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(params string[] command)
    {
        var start = Enter([.. command]);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var texts = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(texts));
    }

    protected override ProcessStartInfo Command() =>
        Enter([.. Image.EntryPoint, "--mqtt", (Mqtt?.Port ?? 0).ToString(CultureInfo.InvariantCulture)]);

    protected override async Task ReadyAsync()
    {
        var ready = Output.LineAsync(static line => line.StartsWith("ready", StringComparison.Ordinal));
        var mqtt = await Output.LineAsync(static line => line.Contains("mqtt://", StringComparison.Ordinal));
        await ready;
        var address = mqtt.Split(' ', StringSplitOptions.RemoveEmptyEntries).First(static word => word.Contains("://", StringComparison.Ordinal));
        Mqtt = new IPEndPoint(IPAddress.Loopback, new Uri(address).Port);
    }

    /// <summary>Once, with another HTTP port: somebody else may have been given the first between its choice and its use.</summary>
    protected override bool MayStartAgain(TimeSpan elapsed)
    {
        if (Mqtt is not null)
        {
            return base.MayStartAgain(elapsed);
        }

        if (_hasOtherPort)
        {
            return false;
        }

        _hasOtherPort = true;
        _httpPort = FreePort();
        return true;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string? FindObstacle()
    {
        if (Environment.UserName != "root")
        {
            return "a root of its own needs root";
        }

        try
        {
            using var probe = Process.Start(new ProcessStartInfo("unshare") { RedirectStandardError = true }.With(
                "--mount", "/bin/sh", "-c", "mount -t tmpfs none /mnt && chroot --version >/dev/null"))!;
            var message = probe.StandardError.ReadToEnd();
            probe.WaitForExit();
            return probe.ExitCode == 0 ? null : $"mount namespaces are not available here: {message.Trim()}";
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return $"unshare (package util-linux) is needed: {missing.Message}";
        }
    }

    private ProcessStartInfo Enter(string[] command)
    {
        var root = Directory.CreateDirectory(Path.Combine(Folder, "root")).FullName;
        if (hasData)
        {
            Directory.CreateDirectory(DataDirectory);
            using var chown = Process.Start("chown", [Image.Only("USER"), DataDirectory]);
            chown.WaitForExit();
        }

        var start = new ProcessStartInfo("unshare").With(
            ["--mount", "/bin/sh", "-c", Script, "sh", root, app, hasData ? DataDirectory : "", Image.Only("USER"), .. command]);
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/bin:/usr/sbin";
        start.Environment["Broker__Http__Port"] = _httpPort.ToString(CultureInfo.InvariantCulture);
        foreach (var (name, value) in Image.Environment)
        {
            start.Environment[name] = value;
        }

        foreach (var (key, value) in Settings)
        {
            start.Environment["Broker__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        return start;
    }
}
