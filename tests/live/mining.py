#!/usr/bin/env python3
"""Journeys as XES and OCEL 2.0, read by r4pm (Rust4PM), which shares no code with Faden.

    mining.py --faden target/release/faden

A server decides some passages; what r4pm finds in the exported logs must be what the decisions say: passages, steps
by activity, customers, messages. Both logs must tell the same ways through the journey.
"""
import argparse, collections, json, os, shutil, subprocess, sys, tempfile
from pathlib import Path
import r4pm
from r4pm import bindings
from common import SOURCE, Server, Sink, call, check, webhook, workspace


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden", required=True)
    a = p.parse_args()
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
    log = r4pm.import_item("EventLog", str(directory / "log.xes"))
    graph = bindings.discover_dfg(event_log=log)
    activities = graph["activities"]
    check(sum(activities.values()) == len(steps), f"XES holds {activities}, {len(steps)} steps were decided")
    check(graph["start_activities"] == ["enrolled"], f"passages begin with {graph['start_activities']}")
    kinds = collections.Counter(row["kind"] for row in steps)
    found = (activities["enrolled"], sum(count for name, count in activities.items() if name.startswith("message ")))
    check(found == (kinds["enrolled"], kinds["message"]), f"XES counts {activities}, the decisions {kinds}")
    ways = bindings.get_variants(bindings.log_to_activity_projection(log=log))
    ways = {tuple(way["activities"]): way["count"] for way in ways}
    check(sum(ways.values()) == len(passages), f"XES holds {sum(ways.values())} traces of {len(passages)}")

    export("journeys", "--format", "ocel", "--out", str(directory / "log.json"))
    ocel = bindings.slim_link_ocel(ocel=r4pm.import_item("OCEL", str(directory / "log.json")))
    wanted = {"customer": customers, "passage": passages, "message": messages}
    for kind, ids in wanted.items():
        found = set(bindings.get_object_ids_of_type(ocel, kind))
        check(found == ids, f"OCEL holds {len(found)} of the kind {kind}, the decisions {len(ids)}")
    stats = bindings.ocel_type_stats(ocel)
    check(set(stats["object_type_counts"]) == set(wanted), f"OCEL holds {stats['object_type_counts']}")
    check(stats["event_type_counts"] == activities, f"OCEL counts {stats['event_type_counts']}, XES {activities}")
    same = {tuple(way): count for way, count in bindings.get_variants_of_object_type(ocel, "passage")}
    check(same == ways, f"OCEL tells the ways {same}, XES {ways}")
    check(server.stop() == 0, "the server did not end well")
    print(f"mining: passed: {len(steps)} events, {stats['object_type_counts']}, {activities}")
    shutil.rmtree(directory)
    return 0


sys.exit(main())
