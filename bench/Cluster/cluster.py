#!/usr/bin/env python3
"""Measures a cluster of three silos over one PostgreSQL, all on this machine, and writes a table.

    MQLOAD=/path/to/mqload bench/Cluster/cluster.py [--only cpu,edges] [--kills 20] [--clients 10000] [--out bench/results/FILE.md]

mqload is the load generator (see bench/README.md). Everything shares the cores of the machine: read ratios, and times against
their goals. BROKER_PROGRAM is the broker's dll, if it is another than ./broker has built. Each part has a fresh cluster.
"""
import argparse, datetime, json, os, platform, re, resource, subprocess, sys, time

from clients import Crowd, resume
from silos import BROKER, ROOT, Cluster

WARM_UP = ["p2p -n 50 -q 1 --inflight 8 -d 3", "churn -n 20 -q 1 -d 3"]


class Bench:
    def __init__(self, options):
        self.options, self.rows = options, []
        self.mqload = os.environ.get("MQLOAD") or sys.exit("set MQLOAD to the path of mqload (see bench/README.md)")

    def row(self, what, figure, goal=""):
        print(f"  {what}: {figure} {goal and f'(goal {goal})'}", file=sys.stderr, flush=True)
        self.rows.append((what, figure, goal))

    def load(self, arguments, ports, pids=(), sub_ports=()):
        command = [self.mqload, *arguments.split(), "--port-list", ",".join(map(str, ports))]
        command += ["--sub-port-list", ",".join(map(str, sub_ports))] if sub_ports else []
        command += ["--pid", ",".join(map(str, pids))] if pids else []
        done = subprocess.run(command, capture_output=True, text=True)
        try:
            result = json.loads(done.stdout.strip().splitlines()[-1])
        except (IndexError, ValueError):
            sys.exit(f"{' '.join(command)}: {done.stderr[-800:]}")
        if done.returncode != 0:
            self.row(f"VERIFICATION FAILED: {arguments}", result.get("first_error") or f"exit {done.returncode}")
        return result

    def warm(self, cluster):
        for load in WARM_UP:
            self.load(load, [s.mqtt for s in cluster.silos])
        self.load(WARM_UP[0], [cluster.silos[0].mqtt], sub_ports=[cluster.silos[1].mqtt])

    def cpu(self):
        """CPU of all silos for a message, publishers and subscribers on one silo and on two."""
        with Cluster(3) as cluster:
            self.warm(cluster)
            a, b = cluster.silos[0].mqtt, cluster.silos[1].mqtt
            pids = [s.pid for s in cluster.silos]
            for name, load in [("QoS 0, 32 outstanding", "p2p -n 100 -q 0 --inflight 32 -d 5"),
                               ("QoS 1, 32 outstanding", "p2p -n 100 -q 1 --inflight 32 -d 5"),
                               ("QoS 0, 5,000/s", "p2p -n 100 -q 0 --rate 5000 -d 5"),
                               ("QoS 1, 5,000/s", "p2p -n 100 -q 1 --rate 5000 -d 5"),
                               ("QoS 1 to durable sessions, 5,000/s", "p2p -n 100 -q 1 --durable --rate 5000 -d 5")]:
                one, two = self.load(load, [a], pids), self.load(load, [a], pids, [b])
                x, y = (r["phases"]["traffic"]["broker_us_per_op"] for r in (one, two))
                p, q = (r.get("latency_us") or {} for r in (one, two))
                self.row(f"CPU a message, {name}: same silo / two silos",
                         f"{x:.1f} / {y:.1f} µs = {y / x:.1f}; p50 {p.get('p50', 0):.0f} / {q.get('p50', 0):.0f} µs, "
                         f"p99 {p.get('p99', 0):.0f} / {q.get('p99', 0):.0f} µs")

    def edges(self):
        """Messages in a call between silos, as the load grows."""
        for name, load in [("1,000/s", "--rate 1000"), ("5,000/s", "--rate 5000"), ("20,000/s", "--rate 20000"),
                           ("32 outstanding each", "--inflight 32")]:
            with Cluster(2) as cluster:
                self.load(f"p2p -n 100 -q 1 {load} -d 5 --warmup 2", [cluster.silos[0].mqtt], sub_ports=[cluster.silos[1].mqtt])
                messages, calls, largest = cluster.edges()
                self.row(f"messages in a call between silos, 100 publishers, QoS 1, {name}",
                         f"{messages / max(calls, 1):.1f} on average, at most {largest}")

    def acks(self):
        """PUBLISH to PUBACK at QoS 1, one at a time: to an online and to an offline durable session, here and on another silo."""
        with Cluster(3) as cluster:
            self.warm(cluster)
            a, b = cluster.silos[0].mqtt, cluster.silos[1].mqtt
            for where, sub in (("same silo", a), ("other silo", b)):
                online = self.load("p2p -n 1 -q 1 --durable --inflight 1 -d 5", [a], sub_ports=[sub])
                run = f"ack{sub}"[-8:]
                self.load(f"offline -n 1 --count 3000 -k 1 -q 1 --phase subscribe --run {run}", [sub])
                offline = self.load(f"offline -n 1 --count 3000 -k 1 -q 1 --inflight 1 --phase publish --run {run}", [a])
                for name, r in (("online", online), ("offline", offline)):
                    ack = r.get("ack_us") or {}
                    self.row(f"PUBACK of a QoS 1 publish to an {name} durable session, {where}, one at a time",
                             f"p50 {ack.get('p50', 0):.0f} µs, p99 {ack.get('p99', 0):.0f} µs")

    def queue(self):
        """Publishes to 1,000 offline durable sessions on all silos."""
        with Cluster(3) as cluster:
            self.warm(cluster)
            ports, pids = [s.mqtt for s in cluster.silos], [s.pid for s in cluster.silos]
            r = self.load("offline -n 1000 --count 200 -k 10 -q 1", ports, pids)
            for phase, name in (("publish", "stored for 1,000 offline durable sessions"), ("drain", "sent to them when they are back")):
                p = r["phases"][phase]
                self.row(f"messages {name}", f"{p['per_s']:,.0f} a second, {p['broker_us_per_op']:.1f} µs of the silos each")

    def rates(self):
        """Connects and subscriptions."""
        with Cluster(3) as cluster:
            self.warm(cluster)
            ports, pids = [s.mqtt for s in cluster.silos], [s.pid for s in cluster.silos]
            for name, load, phase in [("connects, nothing durable", "conn -n 8000 --hold 1", "connect"),
                                      ("connect, subscribe, publish, disconnect", "churn -n 50 -q 1 -d 5", "churn"),
                                      ("new subscriptions, SUBACK after every silo has the filter, 10 a packet", "subs -n 1000 -m 20 -k 10 --batch 10 -q 1 -d 2", "subscribe")]:
                p = self.load(load, ports, pids)["phases"][phase]
                self.row(name, f"{p['per_s']:,.0f} a second, {p['broker_us_per_op']:.0f} µs of the silos each")
            crowd = Crowd([f"rate-{i}" for i in range(3000)])
            took, _ = crowd.connect(lambda i: [ports[i % 3]], 120)
            self.row("connects of new durable sessions", f"{3000 / took:,.0f} a second")
            crowd.close()
            time.sleep(0.5)
            crowd = Crowd([f"rate-{i}" for i in range(3000)])
            took, present = crowd.connect(lambda i: [ports[(i + 1) % 3]], 120)
            self.row("connects that move a durable session to another silo", f"{3000 / took:,.0f} a second, {present} of 3,000 found theirs")
            crowd.close()

    def kills(self):
        """From SIGKILL of a silo to the first CONNECT that finds a session of it, elsewhere."""
        times = []
        with Cluster(3) as cluster:
            for kill in range(self.options.kills):
                victim, other = cluster.silos[kill % 3], cluster.silos[(kill + 1) % 3]
                crowd = Crowd([f"kill{kill}-{i}" for i in range(100)])
                crowd.connect(lambda _: [victim.mqtt], 60)
                began = time.monotonic()
                victim.kill()
                times.append(resume(other.mqtt, f"kill{kill}-7", 60) - began)
                print(f"  kill {kill + 1}: {times[-1]:.2f} s", file=sys.stderr, flush=True)
                victim.process.wait()
                crowd.close()
                victim.start()
                victim.wait()
        times.sort()
        self.row(f"SIGKILL of a silo to the first resume of one of its sessions, {len(times)} kills",
                 f"p50 {times[len(times) // 2]:.2f} s, p99 {times[min(len(times) - 1, int(len(times) * 0.99))]:.2f} s", "p99 ≤ 2.5 s")

    def storm(self):
        """All clients of a silo that is killed, and of one that is told to stop, back on the others."""
        n = self.options.clients
        for how in ("killed", "told to stop"):
            with Cluster(3) as cluster:
                victim, others = cluster.silos[0], [s.mqtt for s in cluster.silos[1:]]
                crowd = Crowd([f"storm-{i}" for i in range(n)])
                took, _ = crowd.connect(lambda _: [victim.mqtt], 300)
                self.row(f"{n:,} durable clients connect to one silo", f"{took:.1f} s, {n / took:,.0f} a second")
                began = time.monotonic()
                crowd.send_to(lambda i: [others[i % 2], others[(i + 1) % 2]])
                if how == "killed":
                    victim.kill()
                else:
                    victim.process.terminate()
                # A client that is still where it was has no Session Present of the new place.
                back = ended = None
                while back is None or ended is None:
                    if time.monotonic() - began > 120:
                        raise TimeoutError(f"{n - crowd.found} clients are not back")
                    crowd.step()
                    if back is None and crowd.found == n:
                        back = time.monotonic() - began
                    if ended is None and victim.process.poll() is not None:
                        ended = time.monotonic() - began
                if how != "killed":
                    log = re.search(r"\d+ connections closed in .*", victim.text())
                    self.row(f"silo with {n:,} clients stops", f"{ended:.1f} s; {log.group(0) if log else 'no line in its log'}", "≤ 30 s")
                self.row(f"{n:,} clients of a silo that is {how} are back with their sessions",
                         f"{back:.1f} s, {crowd.refused} times refused", "≤ 15 s" if how == "killed" else "≤ 30 s")
                crowd.close()


PARTS = ["cpu", "edges", "acks", "queue", "rates", "kills", "storm"]


def report(rows):
    cpu = next((re.sub(r".*: ", "", l.strip()) for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    lines = [f"# A cluster of three silos, {datetime.date.today()}", "",
             f"{os.cpu_count()} x {cpu}, {platform.system()} {'.'.join(platform.release().split('.')[:2])}, commit {commit}. Silos, PostgreSQL and the clients share the cores.", "",
             "```", "MQLOAD=... " + " ".join(sys.argv), "```", "", "| what | figure | goal |", "| --- | --- | --- |"]
    return "\n".join(lines + [f"| {a} | {b} | {c} |" for a, b, c in rows]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help=", ".join(PARTS))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--out")
    options = parser.parse_args()
    if not os.path.exists(BROKER):
        sys.exit("build first: ./broker --version")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    bench = Bench(options)
    for part in options.only.split(",") if options.only else PARTS:
        print(part, file=sys.stderr, flush=True)
        getattr(bench, part)()
    text = report(bench.rows)
    print(text)
    if options.out:
        with open(options.out, "w") as f:
            f.write(text)


main()
