using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Broker.TestKit.Servers;

/// <summary>Mosquitto, where it is installed: another broker to hold the tests against.</summary>
public sealed class MosquittoProcess : BrokerServer
{
    private const string Program = "/usr/sbin/mosquitto";

    protected override ProcessStartInfo Command()
    {
        Directory.CreateDirectory(DataDirectory);
        Mqtt ??= FreePort();
        var file = Path.Combine(Folder, "mosquitto.conf");
        File.WriteAllLines(file,
        [
            $"listener {Mqtt.Port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            $"persistence_location {DataDirectory}/",
            "autosave_on_changes false",
            "autosave_interval 1",
            "set_tcp_nodelay true",
            "user root",
            $"max_inflight_messages {Setting("Session:MaxInflight", "100")}",
            $"max_queued_messages {Setting("Session:MaxQueued", "1000")}",
            "queue_qos0_messages true",
            "max_packet_size 1048576",
        ]);
        return new ProcessStartInfo(Program, ["-c", file]);
    }

    protected override Task ReadyAsync() =>
        Output.LineAsync(line => line.EndsWith(" running", StringComparison.Ordinal));

    private static IPEndPoint FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    private string Setting(string key, string otherwise) => Settings.GetValueOrDefault(key, otherwise);
}
