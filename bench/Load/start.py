#!/usr/bin/env python3
"""How long ./broker takes from its start to "ready", and whether that is within the promise: the median of five starts.

    bench/Load/start.py [--starts 5] [--limit 2.0] [--out bench/results/FILE.md]

Builds first if a source is newer than the last build; that is not counted. Each start has an empty data folder and free ports; its time is
that of whoever waits for it, from the call of ./broker to the line of the banner, so the shell, the runtime and the schema are in it.
"ready in" is what the banner itself says. Exits with 1 when the median is above the limit. Wants a machine that does nothing else.
"""
import argparse, datetime, os, re, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BROKER = os.path.join(ROOT, "broker")

# 60 s: a start that takes so long has failed.
PATIENCE = 60


def start():
    """Seconds to the line "ready", and what that line says."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        broker = subprocess.Popen([BROKER, "--data", os.path.join(folder, "data"), "--mqtt", "0", "--http", "0"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            for line in broker.stdout:
                ready = re.match(r"ready in (\d+) ms", line)
                if ready:
                    return time.monotonic() - begun, int(ready.group(1)) / 1000
                if time.monotonic() - begun > PATIENCE:
                    break
            sys.exit(f"the broker was not ready in {time.monotonic() - begun:.0f} s")
        finally:
            broker.terminate()
            broker.wait(PATIENCE)
            broker.stdout.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--limit", type=float, default=2.0, help="seconds that the median may take")
    parser.add_argument("--out", help="file for the table, beside the console")
    given = parser.parse_args()
    subprocess.run([BROKER, "--version"], check=True, stdout=subprocess.DEVNULL)
    lines = ["| start | seconds | ready in (the banner) |", "|---:|---:|---:|"]
    print("\n".join(lines), flush=True)
    times = []
    for number in range(1, given.starts + 1):
        seconds, said = start()
        times.append(seconds)
        lines.append(f"| {number} | {seconds:.2f} | {said:.2f} |")
        print(lines[-1], flush=True)
    median = statistics.median(times)
    lines.append("")
    lines.append(f"median {median:.2f} s, limit {given.limit:.2f} s: {'kept' if median <= given.limit else 'NOT KEPT'}; "
                 f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("\n".join(lines[-2:]))
    if given.out:
        with open(given.out, "w") as file:
            file.write(f"# Start of ./broker, {datetime.date.today()}\n\n```\nbench/Load/start.py\n```\n\n" + "\n".join(lines) + "\n")
    sys.exit(median > given.limit)


main()
