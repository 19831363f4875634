#!/usr/bin/env bash
# Installs what the tests need, builds everything with warnings as errors, runs every test project, and ends with
# "N passed, N failed". Usage: ./test.sh [FILTER]            FILTER as for dotnet test, for example FullyQualifiedName~T05
#                              ./test.sh --chaos MINUTES   all fault tests of a cluster, and random schedules for so long
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root" || exit 1
if [[ ${1:-} == --chaos ]]; then
    export BROKER_CHAOS_MINUTES=${2:-10}
    filter=FullyQualifiedName~Broker.Cluster.Tests
else
    filter=${1:-}
fi

# The longest test takes minutes, chaos as long as it was told to: a project in which no test begins or ends for so long hangs, and is ended.
chaos_minutes=${BROKER_CHAOS_MINUTES:-0}
hang_minutes=$((15 + ${chaos_minutes%%.*}))

results=$root/.build/test-results
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
export BROKER_TEST_PROGRESS=$results/progress
watcher=
trap '[[ -z $watcher ]] || kill "$watcher" 2>/dev/null' EXIT

say() { printf '%s %s\n' "$(date +%T)" "$*"; }

stop() {
    printf 'test.sh: %s\n' "$*" >&2
    exit 1
}

# What builds and runs everything, and is not a package of Debian.
require_sdk() {
    local wanted
    wanted=$(sed -n 's/.*"version": *"\([0-9]*\)\..*/\1/p' global.json)
    command -v dotnet >/dev/null ||
        stop "please install the .NET $wanted SDK (dotnet is not in PATH): https://dotnet.microsoft.com/download, or dotnet-install.sh --channel $wanted.0"
    dotnet --version >"$results/dotnet.log" 2>&1 ||
        { cat "$results/dotnet.log"; stop "please install the .NET $wanted SDK: the dotnet in PATH, $(command -v dotnet), has none that global.json takes"; }
}

# Debian packages for programs that are missing: program name, then package.
install_programs() {
    local missing=()
    command -v mosquitto_pub >/dev/null && command -v mosquitto_sub >/dev/null || missing+=(mosquitto-clients)
    compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || command -v initdb >/dev/null || missing+=(postgresql)
    command -v node >/dev/null || missing+=(nodejs)
    command -v python3 >/dev/null || missing+=(python3)
    command -v npm >/dev/null || missing+=(npm)
    if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
        [[ ${#missing[@]} -eq 0 ]] || stop "please install: apt-get install ${missing[*]}"
        return
    fi

    # For the tests that cut networks, which only root can run.
    command -v ip >/dev/null || missing+=(iproute2)

    # For the tests behind a balancer.
    command -v haproxy >/dev/null || [[ -x /usr/sbin/haproxy ]] || missing+=(haproxy)

    # Paho is wanted, but nobody has to have it: its tests are skipped where it is missing.
    [[ -d /usr/lib/python3/dist-packages/paho ]] || missing+=(python3-paho-mqtt)
    [[ ${#missing[@]} -eq 0 ]] && return

    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$results/apt.log" 2>&1 ||
        { tail -n 20 "$results/apt.log"; stop "apt-get install ${missing[*]} failed"; }
}

install_node_modules() {
    local folder=tests/Broker.Tests/js
    [[ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]] && return
    say "installing MQTT.js"
    npm ci --prefix "$folder" --no-audit --no-fund >"$results/npm.log" 2>&1 ||
        { tail -n 20 "$results/npm.log"; stop "npm ci failed"; }
    touch "$folder/node_modules/.package-lock.json"
}

# The page that says which test shows which statement of the specifications.
check_coverage() {
    say "coverage of the specifications"
    if python3 docs/spec/coverage.py --check; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}

build() {
    say "building"
    dotnet build Broker.sln --configuration Release --nologo --verbosity quiet -warnaserror >"$results/build.log" 2>&1 ||
        { grep -E 'error|warn' "$results/build.log" | sort -u | head -n 40; stop "the build failed"; }

    # What users run is tested; and it starts in half the time, hundreds of times.
    ./broker --version >"$results/broker.log" 2>&1 || { cat "$results/broker.log"; stop "./broker could not be built"; }
    export BROKER_TEST_PROGRAM=$root/.build/broker/Broker.Gateway.dll
}

# A failed test's name as soon as it has failed, with its message; the rest of the output goes to the log.
show_failures() {
    awk '/^ *Failed [^!]/ { print; lines = 12; next }
        /^ *(Passed|Skipped) |Stack Trace:/ { lines = 0 }
        lines > 0 { print; lines-- }
        { fflush() }'
}

# Adds one attribute of the Counters element of a result file to a total.
counter() {
    grep -o '<Counters [^>]*>' "$1" | grep -o " $2=\"[0-9]*\"" | grep -o '[0-9]*'
}

passed=0
failed=0
skipped=0

run_project() {
    local project=$1 name log trx code total good bad
    name=$(basename "$project" .csproj)
    log=$results/$name.log
    trx=$results/$name.trx
    say "$name: start"
    dotnet test "$project" --configuration Release --no-build --nologo --results-directory "$results" \
        --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=normal" \
        --blame-hang-timeout "${hang_minutes}m" --blame-hang-dump-type none \
        ${filter:+--filter "$filter"} 2>&1 | tee "$log" | show_failures
    code=${PIPESTATUS[0]}
    if [[ ! -f $trx ]]; then
        if [[ -n $filter ]] && grep -q 'No test matches' "$log"; then
            say "$name: no test matches"
            return
        fi

        tail -n 20 "$log"
        say "$name: no results (exit code $code)"
        failed=$((failed + 1))
        return
    fi

    total=$(counter "$trx" total)
    good=$(counter "$trx" passed)
    bad=$(counter "$trx" failed)
    local skip=$((total - $(counter "$trx" executed)))

    # A host that died has counted nothing for the test it died in.
    if [[ $code -ne 0 && $bad -eq 0 ]]; then
        bad=1
        grep -A 5 'aborted\|Test host process crashed' "$log"
    fi

    say "$name: $good passed, $bad failed, $skip skipped"
    passed=$((passed + good))
    failed=$((failed + bad))
    skipped=$((skipped + skip))
}

rm -rf "$results"
mkdir -p "$results"
: >"$BROKER_TEST_PROGRESS"
require_sdk
install_programs
install_node_modules
build
[[ -n $filter ]] || check_coverage
tail -n 0 -F "$BROKER_TEST_PROGRESS" 2>/dev/null &
watcher=$!
for project in tests/*.Tests/*.csproj; do
    run_project "$project"
done

kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
watcher=
summary="$passed passed, $failed failed"
[[ $skipped -gt 0 ]] && summary+=", $skipped skipped"
echo "$summary"
[[ $failed -eq 0 && $passed -gt 0 ]]
