#!/usr/bin/env bash
# A cluster on this machine: a PostgreSQL of its own and N silos over it. Started by ./broker cluster N.
# Usage: cluster.sh PROGRAM [N] [--data DIR] [--mqtt PORT] [--http PORT]
set -uo pipefail

program=$1
shift
silos=3
data=./data/cluster
mqtt=1883
http=8080
postgres=
declare -A pids=()

say() { printf '%s\n' "$*"; }

fail() {
    printf 'broker: %s\n' "$*" >&2
    exit 1
}

while (($# > 0)); do
    case $1 in
        --data | --mqtt | --http)
            (($# > 1)) || fail "$1 needs a value"
            declare "${1#--}=$2"
            shift 2
            ;;
        *[!0-9]* | '') fail "'$1' is not known here; usage: broker cluster [N] [--data DIR] [--mqtt PORT] [--http PORT]" ;;
        *)
            silos=$1
            shift
            ;;
    esac
done
((silos >= 1 && silos <= 16)) || fail "$silos silos are not allowed; allowed: 1 to 16"
[[ $mqtt =~ ^[0-9]+$ && $http =~ ^[0-9]+$ ]] || fail "--mqtt and --http take a port, 0 for any free one"

bin=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)
[[ -n $bin ]] || bin=$(command -v initdb) || fail "the PostgreSQL server programs are needed: apt-get install postgresql"
bin=${bin%/initdb}

# PostgreSQL refuses to run as root.
as_server() {
    if [[ $(id -u) -eq 0 ]]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 30000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

start_postgres() {
    mkdir -p "$data/postgres" || fail "the data folder $data cannot be written"
    data=$(cd "$data" && pwd)
    [[ $(id -u) -ne 0 ]] || chown postgres "$data/postgres"
    as_server test -w "$data/postgres" || fail "user postgres cannot reach $data; choose another folder with --data"
    if [[ ! -f $data/postgres/PG_VERSION ]]; then
        say "creating a database in $data/postgres ..."
        as_server "$bin/initdb" -D "$data/postgres" -A trust -U broker >"$data/initdb.log" 2>&1 ||
            { cat "$data/initdb.log" >&2; fail "initdb has failed"; }
    fi

    postgres=$(free_port)
    as_server "$bin/pg_ctl" -D "$data/postgres" -w -l "$data/postgres/log" \
        -o "-p $postgres -c listen_addresses=127.0.0.1 -c unix_socket_directories=" start >/dev/null ||
        { tail -n 5 "$data/postgres/log" >&2; postgres=; fail "PostgreSQL does not start"; }
    as_server "$bin/psql" -q -h 127.0.0.1 -p "$postgres" -U broker -d postgres -tAc "SELECT 1 FROM pg_database WHERE datname = 'broker'" |
        grep -q 1 || as_server "$bin/createdb" -h 127.0.0.1 -p "$postgres" -U broker broker || fail "the database cannot be created"
}

start_silo() {
    local n=$1
    Broker__Store__Kind=Postgres \
        Broker__Store__ConnectionString="Host=127.0.0.1;Port=$postgres;Username=broker;Database=broker" \
        dotnet "$program" --data "$data/silo$n" \
        --mqtt $((mqtt == 0 ? 0 : mqtt + n - 1)) --http $((http == 0 ? 0 : http + n - 1)) >"$data/silo$n.log" 2>&1 &
    pids[$n]=$!
}

stop_all() {
    trap '' INT TERM
    if ((${#pids[@]} > 0)); then
        say "stopping ..."
        kill -TERM "${pids[@]}" 2>/dev/null
        wait "${pids[@]}" 2>/dev/null
    fi

    [[ -z $postgres ]] || as_server "$bin/pg_ctl" -D "$data/postgres" -w -m fast stop >/dev/null
}

trap stop_all EXIT
trap 'exit 0' INT TERM
start_postgres
say "starting $silos silos ..."
for ((n = 1; n <= silos; n++)); do
    mkdir -p "$data/silo$n"
    start_silo "$n"
done

for ((n = 1; n <= silos; n++)); do
    until grep -q '^ready' "$data/silo$n.log" 2>/dev/null; do
        kill -0 "${pids[$n]}" 2>/dev/null || { tail -n 5 "$data/silo$n.log" >&2; fail "silo $n does not start"; }
        sleep 0.1
    done
    say "silo $n  $(grep -m 1 -o 'mqtt://[^ ]*' "$data/silo$n.log")  dashboard $(grep -m 1 -o 'http://[^ ]*' "$data/silo$n.log")/dashboard"
done
say "database postgresql://broker@127.0.0.1:$postgres/broker in $data, logs beside it"
say "ready; Ctrl-C stops all"

# A silo that has ended, because somebody killed it, comes back as a new one. One that was declared dead comes back by itself.
while :; do
    sleep 1 &
    wait $!
    for ((n = 1; n <= silos; n++)); do
        if ! kill -0 "${pids[$n]}" 2>/dev/null; then
            say "silo $n has ended; starting it again"
            cat "$data/silo$n.log" >>"$data/silo$n.log.old"
            start_silo "$n"
        fi
    done
done
