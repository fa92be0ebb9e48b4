#!/usr/bin/env bash
# Runs what compose.yaml runs, by `docker run`, and says what each step took: for an engine without compose.
#
#   docker/try.sh FOLDER [IMAGE]      FOLDER is made, and holds a demonstration of 2,000 bulletins afterwards
#
# No container has a network. Those of the cluster share the loopback of the scheduler, so they need none.
set -euo pipefail

data="$(mkdir -p "${1:?a folder}" && realpath "$1")"
image="${2:-geomatch}"
size="${SIZE:-2000}"
chmod 777 "$data"
safe=(--read-only --tmpfs /tmp:mode=1777,exec --cap-drop ALL --security-opt no-new-privileges --init
  --user "${GEOMATCH_UID:-12345}:${GEOMATCH_GID:-12345}" --memory "${GEOMATCH_MEMORY:-8g}")
names=(gm-review gm-scheduler gm-worker-1 gm-worker-2)

clean() { docker rm -f "${names[@]}" >/dev/null 2>&1 || true; }
trap clean EXIT
clean

say() { printf '%-46s %s\n' "$1" "$2"; }
timed() { # LABEL COMMAND…: its time; what it said where it fails
  local label="$1" begun told
  shift
  begun=$(date +%s.%N)
  told="$("$@" 2>&1)" || { printf '%s\n%s\n' "$label failed:" "$told" >&2; exit 1; }
  say "$label" "$(date +%s.%N | awk -v begun="$begun" '{printf "%.1f s", $1 - begun}')"
}
run() { docker run --rm "${safe[@]}" --network none -v "$data:/data" "$image" "$@"; }
inside() { docker exec "$1" python -c "$2" >/dev/null 2>&1; }
# Time from the container's start to a port that answers.
started() { # NAME PORT
  for _ in $(seq 300); do
    inside "$1" "import socket; socket.create_connection(('127.0.0.1', $2), 3)" && return
    docker inspect "$1" >/dev/null 2>&1 || break
    sleep 0.2
  done
  docker logs "$1" >&2
  exit 1
}
join() { # NAME COMMAND…: a container on the scheduler's loopback
  docker run -d --name "$1" "${safe[@]}" --network container:gm-scheduler -v "$data:/data" "$image" "${@:2}" >/dev/null
}
same() { # FOLDER FOLDER: the same decisions, byte for byte
  cmp "$data/$1/decisions.parquet" "$data/$2/decisions.parquet"
}

say "image" "$(docker image inspect -f '{{.Size}}' "$image" | awk '{printf "%.2f GB", $1 / 1e9}')"
timed "geomatch --version" run --version
timed "demo of $size bulletins, store and all" run demo --out /data/demo --size "$size"
bulletins="$(basename "$(find "$data/demo/fichiers/bulletins" -name "*.csv" ! -name "*_truth*" | head -1)")"
match=(match "/data/demo/fichiers/bulletins/$bulletins" --store /data/demo/base)
timed "match, one process" run "${match[@]}" --out /data/one --force
timed "match, two processes" run "${match[@]}" --out /data/two --workers 2 --force
same one two

docker run -d --name gm-review "${safe[@]}" --network none -v "$data:/data" "$image" \
  review /data/one --port 8866 --no-browser >/dev/null
timed "review, until its page answers" started gm-review 8866
# without the address that the log shows, nobody is let in
inside gm-review "
import urllib.error, urllib.request
try:
    urllib.request.urlopen('http://127.0.0.1:8866/')
    raise SystemExit(1)
except urllib.error.HTTPError as error:
    raise SystemExit(error.code != 403)
" || { echo "review lets in who has no address" >&2; exit 1; }

docker run -d --name gm-scheduler "${safe[@]}" --network none "$image" \
  dask scheduler --host 127.0.0.1 --port 8786 --no-dashboard >/dev/null
timed "scheduler, until it answers" started gm-scheduler 8786
for n in 1 2; do
  join "gm-worker-$n" dask worker tcp://127.0.0.1:8786 --nthreads 1 --no-dashboard --local-directory /tmp
done
cluster() {
  docker run --rm "${safe[@]}" --network container:gm-scheduler -v "$data:/data" "$image" \
    "${match[@]}" --out "$1" --scheduler tcp://127.0.0.1:8786 --force
}
timed "match on two Dask workers" cluster /data/cluster
same one cluster
lose_one() {
  cluster /data/lost &
  local client=$!
  sleep "${KILL_AFTER:-3}"
  docker kill gm-worker-1 >/dev/null
  wait "$client"
}
timed "match with one of the two killed" lose_one
same one lost
echo "all results are the same, byte for byte"
