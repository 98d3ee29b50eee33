#!/usr/bin/env bash
# Runs the console's tests in a real browser against the demo company, and ends the server afterwards.
#
#   web/e2e/run.sh FADEN             the main paths, and what holds on every page
#   web/e2e/run.sh FADEN --pictures DIR     pictures of every page instead (ONLY, JOURNEY and LOOK choose some)
set -euo pipefail

faden="$(realpath "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
pictures=""
if [ "${2:-}" = "--pictures" ]; then
  mkdir -p "$3"
  pictures="$(realpath "$3")"
fi

# Seconds until the company's half year has been replayed, on a machine that is busy with other things too, and until
# the tests must have come to an end.
START_SECONDS_MAX=300
RUN_SECONDS_MAX=900
started="$(mktemp)"
port="$(node -e "require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port); this.close() })")"
"$faden" demo --listen "127.0.0.1:$port" --json >"$started" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -f "$started"' EXIT
for _ in $(seq "$((START_SECONDS_MAX * 5))"); do
  [ -s "$started" ] && break
  kill -0 "$server"
  sleep 0.2
done
if ! [ -s "$started" ]; then
  echo "the demo company did not start within $START_SECONDS_MAX s" >&2
  exit 1
fi
field() { node -p "JSON.parse(require('node:fs').readFileSync('$started', 'utf8')).$1"; }
FADEN_URL="$(field base_url)"
FADEN_LOGIN="$(field login)"
FADEN_MAILBOX="$(field mailbox)"
export FADEN_URL FADEN_LOGIN FADEN_MAILBOX
if [[ "$(curl --silent --max-time 10 "$FADEN_URL/")" != *'id="root"'* ]]; then
  echo "$faden has no console in it: run \`make ui\` and build it again" >&2
  exit 1
fi

if [ -n "$pictures" ]; then
  SHOTS="$pictures" timeout "$((RUN_SECONDS_MAX * 4))" npm run --silent screenshots
else
  timeout "$RUN_SECONDS_MAX" npm run --silent e2e
fi
