"""Lean MQTT 3.1.1 clients on one thread: thousands that connect, wait, and come back when their connection ends."""
import errno, select, socket, time


def connect_packet(client_id, clean):
    body = b"\x00\x04MQTT\x04" + (b"\x02" if clean else b"\x00") + b"\x00\x00" + len(client_id).to_bytes(2, "big") + client_id.encode()
    return b"\x10" + bytes([len(body)]) + body


class Client:
    __slots__ = ("name", "socket", "ports", "turn", "ready", "present", "pending", "data")

    def __init__(self, name, ports):
        self.name, self.ports, self.turn = name, ports, 0
        self.socket, self.ready, self.present, self.pending, self.data = None, False, False, False, b""


class Crowd:
    """Clients with durable sessions. Each tries its ports in turn until it has a CONNACK of success."""

    # More at a time would only wait in the listen backlog.
    WINDOW = 500

    def __init__(self, names):
        self.epoll, self.by_fd, self.refused = select.epoll(), {}, 0
        # Connected, and those of them that found their session.
        self.up, self.found = 0, 0
        self.clients = [Client(n, []) for n in names]
        self.waiting, self.retry, self.connecting = [], [], 0

    def connect(self, ports_of, seconds):
        """Connects all that have no connection; seconds that it took, and how many found their session."""
        began = time.monotonic()
        self.send_to(ports_of)
        self.waiting += [c for c in reversed(self.clients) if c.socket is None]
        while self.up < len(self.clients):
            if time.monotonic() - began > seconds:
                raise TimeoutError(f"{len(self.clients) - self.up} clients are not connected after {seconds} s")
            self.step()
        return time.monotonic() - began, self.found

    def send_to(self, ports_of):
        """Where each client connects next time."""
        self.found = 0
        for i, client in enumerate(self.clients):
            client.ports, client.turn, client.present = ports_of(i), 0, False

    def step(self, wait=0.02):
        now = time.monotonic()
        while self.retry and self.retry[0][0] <= now:
            self.waiting.append(self.retry.pop(0)[1])
        while self.waiting and self.connecting < self.WINDOW:
            self.open(self.waiting.pop())
        for fd, events in self.epoll.poll(wait):
            client = self.by_fd.get(fd)
            if client:
                self.handle(client, events)

    def open(self, client):
        client.socket = socket.socket()
        client.socket.setblocking(False)
        client.ready, client.pending, client.data = False, True, b""
        self.connecting += 1
        self.by_fd[client.socket.fileno()] = client
        port = client.ports[client.turn % len(client.ports)]
        client.turn += 1
        result = client.socket.connect_ex(("127.0.0.1", port))
        self.epoll.register(client.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
        if result not in (0, errno.EINPROGRESS):
            self.lost(client)

    def handle(self, client, events):
        try:
            if events & (select.EPOLLERR | select.EPOLLHUP):
                return self.lost(client)
            if events & select.EPOLLOUT and client.pending:
                client.pending = False
                client.socket.send(connect_packet(client.name, clean=False))
                self.epoll.modify(client.socket.fileno(), select.EPOLLIN)
            if events & select.EPOLLIN:
                data = client.socket.recv(4096)
                if not data:
                    return self.lost(client)
                client.data += data
                if not client.ready and len(client.data) >= 4:
                    if client.data[3] != 0:
                        self.refused += 1
                        return self.lost(client)
                    client.ready, client.present = True, client.data[2] == 1
                    self.connecting -= 1
                    self.up += 1
                    self.found += client.present
        except OSError:
            self.lost(client)

    def lost(self, client):
        self.epoll.unregister(client.socket.fileno())
        del self.by_fd[client.socket.fileno()]
        client.socket.close()
        if client.ready:
            self.up -= 1
            self.found -= client.present
        else:
            self.connecting -= 1
        client.socket, client.ready, client.present = None, False, False
        # As clients do: not at once.
        self.retry.append((time.monotonic() + 0.1, client))

    def close(self):
        for client in self.clients:
            if client.socket:
                client.socket.close()
        self.epoll.close()


def resume(port, client_id, seconds):
    """Tries until a CONNECT finds the session; the time of that."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=seconds) as s:
                s.sendall(connect_packet(client_id, clean=False))
                answer = s.recv(4)
                if len(answer) == 4 and answer[3] == 0:
                    if answer[2] != 1:
                        raise RuntimeError(f"the session of {client_id} is lost")
                    return time.monotonic()
        except OSError:
            pass
        time.sleep(0.01)
    raise TimeoutError(f"{client_id} is not back after {seconds} s")
