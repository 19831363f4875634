"""A PostgreSQL and silos over it, as processes that this program starts and ends."""
import glob, os, pwd, re, shutil, signal, socket, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BROKER = os.environ.get("BROKER_PROGRAM") or os.path.join(ROOT, ".build/broker/Broker.Gateway.dll")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Postgres:
    """A server with the settings that PostgreSQL has as installed: each commit is on the disk before it is answered."""

    def __init__(self, folder):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb")]
        if not found[-1]:
            sys.exit("the PostgreSQL server programs are needed (Debian package postgresql)")
        self.bin = os.path.dirname(found[-1])
        self.data = os.path.join(folder, "postgres")
        self.port = free_port()
        # It refuses to run as root.
        self.user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        os.makedirs(self.data)
        if self.user:
            os.chown(self.data, pwd.getpwnam("postgres").pw_uid, -1)
            os.chmod(folder, 0o755)
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", "broker")
        self.run("pg_ctl", "-D", self.data, "-w", "-l", os.path.join(self.data, "log"),
                 "-o", f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=", "start")
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "broker", "broker")

    def run(self, program, *arguments):
        subprocess.run([*self.user, os.path.join(self.bin, program), *arguments], check=True, cwd="/",
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")

    @property
    def connection_string(self):
        return f"Host=127.0.0.1;Port={self.port};Username=broker;Database=broker"


class Silo:
    def __init__(self, number, folder, postgres):
        self.number, self.folder, self.postgres = number, folder, postgres
        self.mqtt, self.process, self.log = free_port(), None, os.path.join(folder, f"silo{number}.log")

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        environment = dict(os.environ, Broker__Store__Kind="Postgres", Broker__Session__MaxQueued="0",
                           Broker__Session__MaxQueuedBytes="0", Broker__Store__ConnectionString=self.postgres.connection_string)
        self.process = subprocess.Popen(
            ["dotnet", BROKER, "--data", os.path.join(self.folder, f"data{self.number}"), "--mqtt", str(self.mqtt), "--http", "0"],
            env=environment, stdout=open(self.log, "w"), stderr=subprocess.STDOUT)

    def wait(self, seconds=60):
        until = time.monotonic() + seconds
        while not re.search(r"^ready", self.text(), re.M):
            if time.monotonic() > until or self.process.poll() is not None:
                sys.exit(f"silo {self.number} is not ready:\n{self.text()[-2000:]}")
            time.sleep(0.05)

    def text(self):
        with open(self.log) as f:
            return f.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)

    def terminate(self, seconds=60):
        """Stops it and tells how long that took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(seconds)
        return time.monotonic() - began


class Cluster:
    def __init__(self, silos):
        self.folder = tempfile.mkdtemp(prefix="broker-bench-")
        self.postgres, self.silos = None, []
        try:
            self.postgres = Postgres(self.folder)
            self.silos = [Silo(n, self.folder, self.postgres) for n in range(silos)]
            for silo in self.silos:
                silo.start()
            for silo in self.silos:
                silo.wait()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for silo in self.silos:
            if silo.process and silo.process.poll() is None:
                silo.kill()
                silo.process.wait()
        if self.postgres:
            self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def edges(self):
        """Stops all silos in order; from their last words: (messages, calls, largest call) between silos."""
        for silo in self.silos:
            silo.terminate()
        found = [re.search(r"Sent to other silos: (\d+) messages in (\d+) calls, at most (\d+) in one", s.text()) for s in self.silos]
        rows = [tuple(map(int, f.groups())) for f in found if f]
        return sum(r[0] for r in rows), sum(r[1] for r in rows), max((r[2] for r in rows), default=0)
