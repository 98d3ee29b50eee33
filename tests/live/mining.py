#!/usr/bin/env python3
"""Journeys as XES and OCEL 2.0, read by pm4py, which shares no code with Faden.

    mining.py --faden target/release/faden

A server decides some passages; what pm4py counts in the exported logs must be what the decisions say: passages,
steps by activity, customers, messages. Exit 77 where pm4py is not installed.
"""
import argparse, collections, json, os, shutil, subprocess, sys, tempfile, warnings
from pathlib import Path
from common import SOURCE, Server, Sink, call, webhook, workspace

try:
    import pm4py
except ImportError:
    print("mining: SKIPPED: pm4py is not installed")
    sys.exit(77)


def check(good, what):
    if not good:
        raise SystemExit(f"mining: FAILED: {what}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden", required=True)
    a = p.parse_args()
    warnings.simplefilter("ignore")
    directory = Path(tempfile.mkdtemp(prefix="faden-mining-"))
    sink = Sink(directory / "delivered.ndjson")
    server = Server(a.faden, "mining", directory / "data", workspace(directory, webhook(sink), wait=1)).start()
    server.wait(lambda said: said.get("ready"))
    lines = []
    for number in range(60):
        who = {"userId": f"m{number}"}
        consent = {"consent": {"categoryPreferences": {"marketing": number % 4 != 0}}}
        lines.append({"type": "identify", "messageId": f"m{number}-0", **who, "traits": {"email": f"m{number}@example.com"}, "context": consent})
        lines.append({"type": "track", "messageId": f"m{number}-1", **who, "event": "Cart Updated", "properties": {"cart_id": "c", "value": 50}})
        if number % 3 == 0:
            lines.append({"type": "track", "messageId": f"m{number}-2", **who, "event": "Order Completed", "properties": {"order_id": "o", "revenue": 50}})
    status, answer = call(server.port, "/v1/batch", json.dumps({"batch": lines}).encode(), SOURCE)
    check(status == 200, f"the batch was not taken: {status} {answer[:200]}")
    sink.drain(60, 3, 30)
    environment = {**os.environ, "FADEN_KEY": server.greeting()["admin_key"], "FADEN_URL": f"http://127.0.0.1:{server.port}"}

    def export(*arguments):
        done = subprocess.run([a.faden, "export", *arguments], env=environment, capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"faden export {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    decisions = [json.loads(line) for line in export("decisions").splitlines()]
    steps = [row for row in decisions if "enrollment" in row]
    passages, customers = {row["enrollment"] for row in steps}, {row["profile"] for row in steps}
    messages = {row["message"] for row in steps if "message" in row}
    check(len(passages) == 60 and messages, f"{len(passages)} passages, {len(messages)} messages")

    export("journeys", "--format", "xes", "--out", str(directory / "log.xes"))
    log = pm4py.read_xes(str(directory / "log.xes"))
    check(len(log) == len(steps), f"XES holds {len(log)} events of {len(steps)}")
    check(set(log["case:concept:name"]) == passages, "the traces of XES are not the passages")
    check(set(log["case:customer"]) == customers, "the customers of XES are others")
    xes_counts = collections.Counter(log["concept:name"])

    export("journeys", "--format", "ocel", "--out", str(directory / "log.jsonocel"))
    ocel = pm4py.read_ocel2_json(str(directory / "log.jsonocel"))
    check(len(ocel.events) == len(steps), f"OCEL holds {len(ocel.events)} events of {len(steps)}")
    kinds = collections.Counter(ocel.objects["ocel:type"])
    wanted = {"customer": len(customers), "passage": len(passages), "message": len(messages)}
    check(dict(kinds) == wanted, f"OCEL holds {dict(kinds)}, the decisions {wanted}")
    counts = collections.Counter(ocel.events["ocel:activity"])
    check(counts == xes_counts, f"OCEL counts {counts}, XES {xes_counts}")
    starts, _ = pm4py.get_start_activities(log), pm4py.discover_dfg(log)
    check(starts == {"enrolled": len(passages)}, f"passages begin with {starts}")
    check(server.stop() == 0, "the server did not end well")
    print(f"mining: passed: {len(log)} events, {wanted}, {dict(counts)}")
    shutil.rmtree(directory)
    return 0


sys.exit(main())
