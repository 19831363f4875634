#!/usr/bin/env python3
"""Where the broker's CPU goes in each row of compare.py: samples of perf, by part and by function.

    MQLOAD=/path/to/mqload bench/Load/profile.py [--seconds 6] [--only p2p_q1,churn_q1] [--out bench/results/FILE.md]

Wants perf (Debian package linux-perf) and the rights to use it. The broker writes down where its compiled code lies
(DOTNET_PerfMapEnabled), which costs some of what is measured: read shares here, and costs in compare.py. Samples are of the whole
run of a row, its preparation and its end included.
"""
import collections, os, re, shutil, signal, subprocess, sys, tempfile

import compare

SAMPLES_PER_SECOND = 997

# Compiled code is written down in /tmp/perf-PID.map, and lies where perf looks for it only without a second mapping that is for writing.
ENVIRONMENT = {"DOTNET_PerfMapEnabled": "1", "DOTNET_EnableWriteXorExecute": "0"}

# The first that fits the library or the function is the part.
PARTS = [
    ("kernel", lambda dso, symbol: dso.startswith("[kernel") or dso == "[vdso]"),
    ("SQLite", lambda dso, symbol: "e_sqlite3" in dso),
    ("GC", lambda dso, symbol: "libclrgc" in dso or re.search(r"\b(WKS|SVR)::|gc_heap|GCHeap|JIT_WriteBarrier|JIT_CheckedWriteBarrier|JIT_ByRef", symbol)),
    ("compiler", lambda dso, symbol: "libclrjit" in dso),
    ("runtime", lambda dso, symbol: "libcoreclr" in dso or "libSystem" in dso or "libc" in dso or "ld-linux" in dso or "libstdc" in dso),
    ("Broker", lambda dso, symbol: "Broker" in symbol or "Broker." in dso),
    ("Orleans", lambda dso, symbol: "Orleans" in symbol or "Orleans" in dso),
    ("Kestrel, sockets", lambda dso, symbol: re.search(r"AspNetCore|System\.Net|System\.IO\.Pipelines", symbol + dso)),
    ("rest of .NET", lambda dso, symbol: True),
]


def part_of(dso, symbol):
    return next(name for name, fits in PARTS if fits(dso, symbol))


def short(symbol):
    """The function alone: without its parameters, its assembly and the tier it was compiled at."""
    symbol = re.sub(r"^\[.\]\s*", "", symbol)
    symbol = re.sub(r"\[(Optimized|OptimizedTier1\w*|Tier0\w*|PreJIT|ReadyToRun)\w*\]", "", symbol)
    symbol = re.sub(r"\(.*", "", symbol)
    return re.sub(r"^.*?\[[\w.]+\]", "", symbol).strip().split(" ")[-1].replace("|", "\\|")[-70:]


def profile(group, mqload, seconds):
    """Shares of the samples by part, and of the functions that have most."""
    folder = tempfile.mkdtemp(prefix="broker-profile-")
    port = compare.free_port()
    broker = compare.start_broker(folder, port, ENVIRONMENT)
    data = os.path.join(folder, "perf.data")
    try:
        compare.wait_for(port)
        for load in compare.WARM_UP:
            compare.run(mqload, load, port, broker.pid, compare.WARM_UP_SECONDS)
        perf = subprocess.Popen(["perf", "record", "-e", "cpu-clock", "-F", str(SAMPLES_PER_SECOND), "-o", data, "-p", str(broker.pid)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        print(f"  profile    {group[0][0]}", file=sys.stderr, flush=True)
        compare.run(mqload, group[0][1], port, broker.pid, seconds if group[0][3] else None)
        perf.send_signal(signal.SIGINT)
        said = perf.communicate(timeout=60)[1]
        if not os.path.exists(data):
            sys.exit(f"perf: {said[-400:]}")
        text = subprocess.run(["perf", "report", "-i", data, "--no-children", "--sort", "dso,symbol", "--stdio", "-t", "\t", "-F", "overhead,dso,sym"],
                              capture_output=True, text=True).stdout
    finally:
        broker.send_signal(signal.SIGTERM)
        broker.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
        for left in (f"/tmp/perf-{broker.pid}.map", f"/tmp/perfinfo-{broker.pid}.map"):
            if os.path.exists(left):
                os.remove(left)

    parts, functions = collections.Counter(), collections.Counter()
    for line in text.splitlines():
        fields = line.split("\t")
        if line.startswith("#") or len(fields) < 3:
            continue
        share, dso, symbol = float(fields[0].strip(" %")), fields[1].strip(), fields[2].strip()
        parts[part_of(dso, symbol)] += share
        functions[short(symbol)] += share
    return parts, functions


def main():
    options = compare.arguments(__doc__)
    if not shutil.which("perf"):
        sys.exit("perf is not installed (Debian package linux-perf)")
    mqload = compare.prepare()
    names = [name for name, _ in PARTS]
    lines = ["| row | " + " | ".join(f"{x} %" for x in names) + " | functions with most, % |", "| --- |" + " ---: |" * len(names) + " --- |"]
    for group in compare.groups(options.only):
        parts, functions = profile(group, mqload, options.seconds)
        most = ", ".join(f"{name} {share:.0f}" for name, share in functions.most_common(8) if share >= 1)
        lines.append(f"| {', '.join(r[0] for r in group)} | " + " | ".join(f"{parts[x]:.0f}" for x in names) + f" | {most} |")
        print(lines[-1], flush=True)
    text = compare.heading("Where the CPU of the broker goes", options.seconds) + "\n".join(lines) + "\n"
    if options.out:
        with open(options.out, "w") as f:
            f.write(text)


if __name__ == "__main__":
    main()
