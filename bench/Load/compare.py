#!/usr/bin/env python3
"""Runs the same loads against this broker and mosquitto, one after the other, and prints CPU per operation side by side.

    MQLOAD=/path/to/mqload bench/Load/compare.py [--seconds 6] [--only p2p_q1,churn_q1] [--out bench/results/FILE.md]

mqload is the load generator (see bench/README.md). mosquitto comes from the system. Both brokers listen on loopback, on
free ports; ours keeps its data in a temporary folder with every commit synchronous. Process CPU is compared because the
machine is shared with the load generator; the ratio of two runs next to each other is what to read. Each broker is fresh
for each row; ours first carries some seconds of other traffic, so that what is measured is compiled.
"""
import argparse, datetime, json, os, platform, re, resource, shutil, signal, socket, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BROKER = os.path.join(ROOT, ".build/broker/Broker.Gateway.dll")

# name, mqload arguments, phase to report, time limit asked for with -d, what is due now and the goal of the project:
# at most so many times mosquitto's CPU; or another figure of ours, where one is named: (figure, at least or at most, value).
ROWS = [
    ("p2p_q0", "p2p -n 100 -q 0 --inflight 32", "traffic", True, 0.8, 0.3),
    ("p2p_q1", "p2p -n 100 -q 1 --inflight 32", "traffic", True, 0.9, 0.3),
    ("p2p_q2", "p2p -n 100 -q 2 --inflight 32", "traffic", True, 0.9, 0.3),
    ("p2p_q1_durable", "p2p -n 100 -q 1 --inflight 32 --durable", "traffic", True, ("of the rate of p2p_q1", ">=", 0.8), None),
    ("rate5k_q0", "p2p -n 100 -q 0 --rate 5000", "traffic", True, 1.3, 0.9),
    ("rate5k_q1", "p2p -n 100 -q 1 --rate 5000", "traffic", True, 1.3, 0.9),
    ("rate20k_q0", "p2p -n 100 -q 0 --rate 20000", "traffic", True, 1.3, 0.9),
    ("rate20k_q1", "p2p -n 100 -q 1 --rate 20000", "traffic", True, 1.3, 0.9),
    ("fanout_q0", "fanout -n 1000 -q 0 --inflight 8", "traffic", True, 0.7, 0.25),
    ("fanout_q1", "fanout -n 1000 -q 1 --inflight 8", "traffic", True, 0.7, 0.25),
    ("fanin_q0", "fanin -n 1000 -m 1 -q 0 --inflight 4", "traffic", True, 1.0, 0.5),
    ("fanin_q1", "fanin -n 1000 -m 1 -q 1 --inflight 4", "traffic", True, 1.0, 0.5),
    ("churn_q1", "churn -n 50 -q 1", "churn", True, 2, 1.0),
    ("takeover", "takeover -n 50", "takeover", True, None, None),
    ("offline/publish", "offline -n 100 --count 1000 -k 10 -q 1", "publish", False, ("op/s", ">=", 25_000), ("op/s", ">=", 60_000)),
    ("offline/drain", None, "drain", False, 2, 0.8),
    ("retain/publish", "retain -n 100000 -k 10 -m 1 -q 1", "publish", False, 3, 1),
    ("retain/retained", None, "retained", False, 1.5, 0.5),
    ("subs/subscribe", "subs -n 10000 -m 10 -k 10 -q 1", "subscribe", True, None, None),
    ("subs/match", None, "match", True, 1.0, 0.5),
    ("conn10k", "conn -n 10000 --hold 10", "connect", False, ("KB", "<=", 14), ("KB", "<=", 6)),
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


def start_broker(folder, port, environment=None):
    # No queue limit, as for mosquitto; the rest is as shipped.
    args = ["dotnet", BROKER, "--data", os.path.join(folder, "data"), "--mqtt", str(port), "--http", "0",
            "--Broker:Session:MaxQueued=0", "--Broker:Session:MaxQueuedBytes=0"]
    return subprocess.Popen(args, stdout=open(os.path.join(folder, "broker.log"), "w"), stderr=subprocess.STDOUT,
                            env=os.environ | (environment or {}))


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
        for row, arguments, phase, timed, *_ in rows:
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


def figure(name, row, ours, theirs):
    """The figure that a limit speaks of; None when the run has not got it."""
    if name == "CPU":
        return ours[row]["us"] / theirs[row]["us"] if ours[row]["us"] and theirs[row]["us"] else None
    if name == "of the rate of p2p_q1":
        return ours[row]["rate"] / ours["p2p_q1"]["rate"] if "p2p_q1" in ours else None
    return ours[row]["rate" if name == "op/s" else "kb"]


def as_limit(limit):
    return limit if isinstance(limit, tuple) else ("CPU", "<=", limit)


def holds(limit, row, ours, theirs):
    name, relation, value = as_limit(limit)
    found = figure(name, row, ours, theirs)
    return found is not None and (found <= value if relation == "<=" else found >= value)


def show(limit):
    if limit is None:
        return "–"
    name, relation, value = as_limit(limit)
    return f"{'≤' if relation == '<=' else '≥'} {value:,}{'' if name == 'CPU' else ' ' + name}"


def standing(row, due, goal, ours, theirs):
    """Where a row stands: at the goal, at what is due now, or at neither."""
    if due is None or figure(as_limit(due)[0], row, ours, theirs) is None:
        return "–"
    if goal is not None and holds(goal, row, ours, theirs):
        return "goal"
    return ("due" if goal is not None else "kept") if holds(due, row, ours, theirs) else "**missed**"


def heading(title, seconds):
    """Title, machine and command of a report."""
    cpu = next((re.sub(r".*: ", "", l.strip()) for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return (f"# {title}, {datetime.date.today()}\n\n"
            f"{os.cpu_count()} x {cpu}, {platform.system()} {'.'.join(platform.release().split('.')[:2])}, commit {commit}, {seconds} s a row. "
            "The load generator runs on the same cores.\n\n"
            "```\nMQLOAD=... " + " ".join(os.path.basename(a) if os.path.isabs(a) else a for a in sys.argv) + "\n```\n\n")


def report(ours, theirs, rows, seconds):
    lines = [
        heading("Broker and mosquitto", seconds) + "Ratio: our CPU for one operation divided by mosquitto's in the same run.", "",
        "| row | mosquitto µs/op | ours µs/op | ratio | due now | goal | stands at | mosquitto op/s | ours op/s | p50 / p99 µs mosquitto | "
        "p50 / p99 µs ours | lost/dup/ooo |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row, _, _, _, due, goal in rows:
        a, b = theirs[row], ours[row]
        ratio = f"{b['us'] / a['us']:.2f}" if a["us"] and b["us"] else "–"
        lat = lambda r: f"{r['latency'].get('p50', 0):.0f} / {r['latency'].get('p99', 0):.0f}" if r["latency"] else "–"
        num = lambda v, f: format(v, f) if v is not None else "–"
        lines.append(f"| {row} | {num(a['us'], '.2f')} | {num(b['us'], '.2f')} | {ratio} | {show(due)} | {show(goal)} | "
                     f"{standing(row, due, goal, ours, theirs)} | {num(a['rate'], ',.0f')} | "
                     f"{num(b['rate'], ',.0f')} | {lat(a)} | {lat(b)} | {b['bad']}{'' if b['exit'] == 0 else ' exit ' + str(b['exit'])} |")
    if "conn10k" in ours:
        lines += ["", f"Memory of an idle connection: mosquitto {theirs['conn10k']['kb']} KB, ours {ours['conn10k']['kb']} KB."]
    return "\n".join(lines) + "\n"


def groups(only):
    """The rows that are asked for; those of one run of mqload come together."""
    all_groups = []
    for row in ROWS:
        if row[1] is None:
            all_groups[-1].append(row)
        else:
            all_groups.append([row])
    wanted = set(filter(None, only.split(",")))
    return [g for g in all_groups if not wanted or any(r[0] in wanted or r[0].split("/")[0] in wanted for r in g)]


def prepare():
    """The path of mqload, when everything is there that a run needs."""
    mqload = os.environ.get("MQLOAD") or sys.exit("set MQLOAD to the path of mqload (see bench/README.md)")
    if not shutil.which("mosquitto"):
        sys.exit("mosquitto is not installed (Debian package mosquitto)")
    if not os.path.exists(BROKER):
        sys.exit("build first: ./broker --version")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return mqload


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--only", default="")
    parser.add_argument("--out")
    return parser.parse_args()


def main():
    options = arguments(__doc__)
    mqload = prepare()
    theirs, ours, rows = {}, {}, []
    for group in groups(options.only):
        # A fresh broker for each row, and the two next to each other in time: the machine drifts.
        theirs |= measure("mosquitto", start_mosquitto, mqload, group, options.seconds, warm=False)
        ours |= measure("ours", start_broker, mqload, group, options.seconds, warm=True)
        rows += group
        if options.out:
            # After each row: what is ended early has told something.
            with open(options.out, "w") as f:
                f.write(report(ours, theirs, rows, options.seconds))

    print(report(ours, theirs, rows, options.seconds))


if __name__ == "__main__":
    main()
