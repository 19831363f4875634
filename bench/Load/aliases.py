#!/usr/bin/env python3
"""What topic aliases towards clients save, and what they cost: bytes and broker CPU for each delivery, with and without.

    bench/Load/aliases.py [--program src/Gateway/bin/Release/net10.0/Broker.Gateway.dll] [--seconds 4]

One publisher sends QoS 0 messages of 16 bytes on topics of 38 bytes, in batches, each when every subscriber has the last one: so
nothing is dropped and the CPU is that of a broker that is not pressed. p2p has one subscriber, fanout a hundred.
"""
import argparse, os, re, selectors, socket, struct, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOPIC = "building/7/floor/3/room/{:02}/temperature"
PAYLOAD = b"x" * 16


def text(value):
    return struct.pack(">H", len(value)) + value


def length(n):
    out = b""
    while True:
        n, digit = divmod(n, 128)
        out += bytes([digit | (0x80 if n else 0)])
        if not n:
            return out


def packet(first, body):
    return bytes([first]) + length(len(body)) + body


class Client:
    def __init__(self, port, name, aliases):
        self.socket = socket.create_connection(("127.0.0.1", port))
        properties = b"\x22" + struct.pack(">H", aliases) if aliases else b""
        body = text(b"MQTT") + b"\x05\x02\x00\x00" + length(len(properties)) + properties + text(name)
        self.socket.sendall(packet(0x10, body))
        self.read_packet()
        self.count = self.bytes = 0
        self.rest = b""

    def read_packet(self):
        head = self.exactly(2)
        size, shift = head[1] & 127, 7
        while head[-1] & 128:
            head += self.exactly(1)
            size |= (head[-1] & 127) << shift
            shift += 7
        return head + self.exactly(size)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                sys.exit("the broker closed the connection")
            data += more
        return data

    def subscribe(self, topic_filter):
        self.socket.sendall(packet(0x82, b"\x00\x01\x00" + text(topic_filter) + b"\x00"))
        self.read_packet()

    def take(self):
        """Counts whole packets of what is there; all are shorter than 128 bytes."""
        data = self.socket.recv(1 << 18)
        self.bytes += len(data)
        data = self.rest + data
        at = 0
        while at + 1 < len(data) and at + 2 + data[at + 1] <= len(data):
            at += 2 + data[at + 1]
            self.count += 1
        self.rest = data[at:]


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(port, pid, subscribers, topics, aliases, seconds):
    clients = [Client(port, f"s{aliases}-{subscribers}-{i}".encode(), aliases) for i in range(subscribers)]
    for client in clients:
        client.subscribe(b"building/#")
        client.bytes = 0
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
    publisher = Client(port, f"p{aliases}-{subscribers}".encode(), 0)
    batch_size = max(10, 1000 // subscribers)
    batch = b"".join(
        packet(0x30, text(TOPIC.format(i % topics).encode()) + b"\x00" + PAYLOAD) for i in range(batch_size))
    sent, busy, start, begun = 0, cpu(pid), time.time(), None
    while time.time() - start < seconds or begun is None:
        if begun is None and time.time() - start > seconds / 4:
            # What was before is for warming up.
            busy, begun = cpu(pid), sent
            for client in clients:
                client.bytes = 0
        publisher.socket.sendall(batch)
        sent += batch_size
        while any(client.count < sent for client in clients):
            for key, _ in selector.select(5):
                key.data.take()
    used, deliveries = cpu(pid) - busy, (sent - begun) * subscribers
    total = sum(client.bytes for client in clients)
    for client in [*clients, publisher]:
        client.socket.close()
    return total / deliveries, used / deliveries * 1e6, deliveries


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=os.path.join(ROOT, "src/Gateway/bin/Release/net10.0/Broker.Gateway.dll"))
    parser.add_argument("--seconds", type=float, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        broker = subprocess.Popen(["dotnet", given.program, "--data", folder, "--mqtt", "0", "--http", "0"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            port = None
            for line in broker.stdout:
                found = re.search(r"^mqtt\s.*:(\d+)", line)
                port = int(found.group(1)) if found else port
                if "ready" in line.lower():
                    break
            print("| load | topics | aliases | bytes a delivery | CPU µs a delivery | deliveries |\n|---|---:|---:|---:|---:|---:|")
            for name, subscribers in (("p2p", 1), ("fanout", 100)):
                for topics in (1, 20):
                    for aliases in (0, 10, 0, 10):
                        size, micro, count = measure(port, broker.pid, subscribers, topics, aliases, given.seconds)
                        print(f"| {name} | {topics} | {aliases} | {size:.1f} | {micro:.2f} | {count:,} |", flush=True)
        finally:
            broker.terminate()
            broker.wait()


main()
