#!/usr/bin/env python3
"""Runs the same loads against this broker and mosquitto, one after the other, and prints CPU per operation side by side.

    MQLOAD=/path/to/mqload bench/Load/compare.py [--seconds 6] [--only p2p_q1,churn] [--out bench/results/FILE.md]

mqload is the load generator (see bench/README.md). mosquitto comes from the system. Both brokers listen on loopback, on
free ports; ours keeps its data in a temporary folder with every commit synchronous. Process CPU is compared because the
machine is shared with the load generator; the ratio of two runs next to each other is what to read. Each broker is fresh
for each row; ours first carries some seconds of other traffic, so that what is measured is compiled.
"""
import argparse, datetime, json, os, platform, re, resource, shutil, signal, socket, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BROKER = os.path.join(ROOT, ".build/broker/Broker.Gateway.dll")

# name, mqload arguments, phase to report, time limit asked for with -d
ROWS = [
    ("p2p_q0", "p2p -n 100 -q 0 --inflight 32", "traffic", True),
    ("p2p_q1", "p2p -n 100 -q 1 --inflight 32", "traffic", True),
    ("p2p_q2", "p2p -n 100 -q 2 --inflight 32", "traffic", True),
    ("p2p_q1_durable", "p2p -n 100 -q 1 --inflight 32 --durable", "traffic", True),
    ("rate5k_q0", "p2p -n 100 -q 0 --rate 5000", "traffic", True),
    ("rate5k_q1", "p2p -n 100 -q 1 --rate 5000", "traffic", True),
    ("rate20k_q0", "p2p -n 100 -q 0 --rate 20000", "traffic", True),
    ("rate20k_q1", "p2p -n 100 -q 1 --rate 20000", "traffic", True),
    ("fanout_q0", "fanout -n 1000 -q 0 --inflight 8", "traffic", True),
    ("fanout_q1", "fanout -n 1000 -q 1 --inflight 8", "traffic", True),
    ("fanin_q0", "fanin -n 1000 -m 1 -q 0 --inflight 4", "traffic", True),
    ("fanin_q1", "fanin -n 1000 -m 1 -q 1 --inflight 4", "traffic", True),
    ("churn_q1", "churn -n 50 -q 1", "churn", True),
    ("takeover", "takeover -n 50", "takeover", True),
    ("offline/publish", "offline -n 100 --count 1000 -k 10 -q 1", "publish", False),
    ("offline/drain", None, "drain", False),
    ("retain/publish", "retain -n 100000 -k 10 -m 1 -q 1", "publish", False),
    ("retain/retained", None, "retained", False),
    ("subs/subscribe", "subs -n 10000 -m 10 -k 10 -q 1", "subscribe", True),
    ("subs/match", None, "match", True),
    ("conn10k", "conn -n 10000 --hold 10", "connect", False),
]


WARM_UP = ["p2p -n 50 -q 0 --inflight 8", "p2p -n 50 -q 1 --inflight 8", "churn -n 20 -q 1"]
WARM_UP_SECONDS = 4


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def start_mosquitto(folder, port):
    conf = os.path.join(folder, "mosquitto.conf")
    with open(conf, "w") as f:
        f.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
                "max_inflight_messages 100\nset_tcp_nodelay true\n")
    return subprocess.Popen(["mosquitto", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start_broker(folder, port):
    # No queue limit, as for mosquitto; the rest is as shipped.
    args = ["dotnet", BROKER, "--data", os.path.join(folder, "data"), "--mqtt", str(port), "--http", "0",
            "--Broker:Session:MaxQueued=0", "--Broker:Session:MaxQueuedBytes=0"]
    return subprocess.Popen(args, stdout=open(os.path.join(folder, "broker.log"), "w"), stderr=subprocess.STDOUT)


def run(mqload, row, port, pid, seconds):
    command = [mqload, *row.split(), "-p", str(port), "--pid", str(pid)]
    if seconds:
        command += ["-d", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        result = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        sys.exit(f"{' '.join(command)}: {done.stderr[-800:]}")
    result["exit"] = done.returncode
    return result


def measure(name, start, mqload, rows, seconds, warm):
    results, last = {}, None
    folder = tempfile.mkdtemp(prefix="broker-bench-")
    port = free_port()
    process = start(folder, port)
    wait_for(port)
    try:
        for load in WARM_UP if warm else []:
            run(mqload, load, port, process.pid, WARM_UP_SECONDS)
        for row, arguments, phase, timed in rows:
            if arguments is not None:
                print(f"  {name:10} {row}", file=sys.stderr, flush=True)
                last = run(mqload, arguments, port, process.pid, seconds if timed else None)
            p = last["phases"].get(phase, {})
            results[row] = {
                "us": p.get("broker_us_per_op"), "rate": p.get("per_s"), "kb": p.get("rss_kb_per_op"),
                "latency": last.get("latency_us") or {}, "exit": last["exit"],
                "bad": "/".join(str(last.get(k, 0)) for k in ("lost", "dup", "ooo")),
            }
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
    return results


def report(ours, theirs, rows, seconds):
    cpu = next((re.sub(r".*: ", "", l.strip()) for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    lines = [
        f"# Broker and mosquitto, {datetime.date.today()}", "",
        f"{os.cpu_count()} x {cpu}, {platform.system()} {'.'.join(platform.release().split('.')[:2])}, commit {commit}, {seconds} s a row. "
        "The load generator runs on the same cores. Ratio: our CPU for one operation divided by mosquitto's in the same run.", "",
        "```", "MQLOAD=... " + " ".join(sys.argv), "```", "",
        "| row | mosquitto µs/op | ours µs/op | ratio | mosquitto op/s | ours op/s | p50 / p99 µs mosquitto | p50 / p99 µs ours | lost/dup/ooo |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row, *_ in rows:
        a, b = theirs[row], ours[row]
        ratio = f"{b['us'] / a['us']:.2f}" if a["us"] and b["us"] else "–"
        lat = lambda r: f"{r['latency'].get('p50', 0):.0f} / {r['latency'].get('p99', 0):.0f}" if r["latency"] else "–"
        num = lambda v, f: format(v, f) if v is not None else "–"
        lines.append(f"| {row} | {num(a['us'], '.2f')} | {num(b['us'], '.2f')} | {ratio} | {num(a['rate'], ',.0f')} | "
                     f"{num(b['rate'], ',.0f')} | {lat(a)} | {lat(b)} | {b['bad']}{'' if b['exit'] == 0 else ' exit ' + str(b['exit'])} |")
    if "conn10k" in ours:
        lines += ["", f"Memory of an idle connection: mosquitto {theirs['conn10k']['kb']} KB, ours {ours['conn10k']['kb']} KB."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--only", default="")
    parser.add_argument("--out")
    options = parser.parse_args()
    mqload = os.environ.get("MQLOAD") or sys.exit("set MQLOAD to the path of mqload (see bench/README.md)")
    if not shutil.which("mosquitto"):
        sys.exit("mosquitto is not installed (Debian package mosquitto)")
    if not os.path.exists(BROKER):
        sys.exit("build first: ./broker --version")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = set(filter(None, options.only.split(",")))
    rows = [r for r in ROWS if not wanted or r[0] in wanted or r[0].split("/")[0] in wanted]

    theirs, ours = {}, {}
    for i in range(0, len(rows)):
        if rows[i][1] is None:
            continue
        group = [rows[i]]
        while i + len(group) < len(rows) and rows[i + len(group)][1] is None:
            group.append(rows[i + len(group)])
        # A fresh broker for each row, and the two next to each other in time: the machine drifts.
        theirs |= measure("mosquitto", start_mosquitto, mqload, group, options.seconds, warm=False)
        ours |= measure("ours", start_broker, mqload, group, options.seconds, warm=True)

    text = report(ours, theirs, rows, options.seconds)
    print(text)
    if options.out:
        with open(options.out, "w") as f:
            f.write(text)


main()
