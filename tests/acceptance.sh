#!/usr/bin/env bash
# Holds the release binary against oracles that share no code with it: eighteen months of a real shop,
# and the cart job. Exit 77 (as test runners write "skipped") when the data beside the checkout is missing.
#
#   FADEN=path/to/faden tests/acceptance.sh [DIRECTORY]     DIRECTORY: default ../shared/acceptance
#   CART_CUSTOMERS=500000 for the full cart job; 20,000 otherwise
set -euo pipefail

top="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
shared="${1:-$top/../shared/acceptance}"
faden="${FADEN:-${CARGO_TARGET_DIR:-$top/target}/release/faden}"
customers="${CART_CUSTOMERS:-20000}"

if [ ! -f "$shared/cdnow/oracle.py" ] || [ ! -f "$shared/../data/retail/CDNOW_master.txt" ]; then
  echo "acceptance: SKIPPED: $shared has no cdnow/oracle.py, or its data is missing"
  exit 77
fi
if [ ! -x "$faden" ]; then
  echo "acceptance: $faden is missing; run \`cargo build --release -p faden\` first" >&2
  exit 1
fi

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

echo "== CDNOW"
python3 "$shared/cdnow/to_events.py" > "$scratch/cdnow.ndjson"
hashes="$scratch/hashes"
for partitions in 1 4; do
  "$faden" replay "$scratch/cdnow.ndjson" --workspace "$shared/cdnow/workspace" --until 1998-07-01T00:00:00Z \
    --partitions "$partitions" --out "$scratch/cdnow.$partitions.ndjson"
  python3 "$shared/cdnow/oracle.py" --check "$scratch/cdnow.$partitions.ndjson"
  "$faden" replay "$scratch/cdnow.ndjson" --workspace "$shared/cdnow/workspace" --until 1998-07-01T00:00:00Z \
    --partitions "$partitions" --hash >> "$hashes"
done
echo "== CDNOW through the durable log and store"
"$faden" replay "$scratch/cdnow.ndjson" --workspace "$shared/cdnow/workspace" --until 1998-07-01T00:00:00Z \
  --durable "$scratch/durable" --out "$scratch/cdnow.durable.ndjson"
python3 "$shared/cdnow/oracle.py" --check "$scratch/cdnow.durable.ndjson"

echo "== CDNOW, killed in the middle and started again"
"$faden" replay "$scratch/cdnow.ndjson" --workspace "$shared/cdnow/workspace" --until 1998-07-01T00:00:00Z \
  --durable "$scratch/killed" --out "$scratch/cdnow.killed.ndjson" & replay=$!
# Long enough to be in the middle, and harmless when the machine is faster: then it had finished.
sleep 0.4
kill -9 "$replay" 2>/dev/null || true
wait "$replay" 2>/dev/null || true
"$faden" replay "$scratch/cdnow.ndjson" --workspace "$shared/cdnow/workspace" --until 1998-07-01T00:00:00Z \
  --durable "$scratch/killed" --out "$scratch/cdnow.killed.ndjson"
python3 "$shared/cdnow/oracle.py" --check "$scratch/cdnow.killed.ndjson"

if [ "$(grep -oE '[0-9a-f]{16,}' "$hashes" | sort -u | wc -l)" != 1 ]; then
  echo "the hash of all decisions depends on the number of partitions:" >&2
  cat "$hashes" >&2
  exit 1
fi
cat "$hashes"

echo "== cart, $customers customers"
python3 "$shared/cart/cart.py" generate "$customers" > "$scratch/cart.ndjson"
"$faden" replay "$scratch/cart.ndjson" --workspace "$shared/cart/workspace" --out "$scratch/cart.decisions.ndjson"
python3 "$shared/cart/cart.py" check "$customers" "$scratch/cart.decisions.ndjson"
echo "acceptance: passed"
