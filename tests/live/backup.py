#!/usr/bin/env python3
"""A backup taken under load and restored elsewhere comes to the same decisions.

    backup.py --faden target/release/faden [--seconds 3]

Several senders fill carts while `faden backup` runs, before it and after it. The archive becomes a second data
directory; its server must have everything that was answered before the backup began, and everything it decided up
to its last record must be, byte for byte, what the first server decided. In the end it takes new events.
"""
import argparse, hashlib, json, os, shutil, subprocess, sys, tempfile, threading, time
from pathlib import Path
from zlib import crc32
from common import SOURCE, Server, Sink, call, check, webhook, workspace

SENDERS, BATCH = 4, 20


def lines(customer):
    yield {"type": "identify", "messageId": f"{customer}-0", "userId": customer, "traits": {"email": f"{customer}@example.com"},
           "context": {"consent": {"categoryPreferences": {"marketing": True}}}}
    yield {"type": "track", "messageId": f"{customer}-1", "userId": customer, "event": "Cart Updated", "properties": {"cart_id": customer, "value": 50}}
    if crc32(customer.encode()) % 3 == 0:
        yield {"type": "track", "messageId": f"{customer}-2", "userId": customer, "event": "Order Completed", "properties": {"order_id": customer, "revenue": 50}}


def send(server, customers):
    """Ids of the events of one batch, once it was answered."""
    events = [line for customer in customers for line in lines(customer)]
    status, answer = call(server.port, "/v1/batch", json.dumps({"batch": events}).encode(), SOURCE)
    check(status == 200, f"a batch was not taken: {status} {answer[:200]}")
    return [event["messageId"] for event in events]


def sender(server, name, until, taken):
    number = 0
    while not until.is_set():
        taken.extend(send(server, [f"{name}-{number + at}" for at in range(BATCH)]))
        number += BATCH


def faden(a, server, *arguments):
    environment = {**os.environ, "FADEN_KEY": server.greeting()["admin_key"], "FADEN_URL": f"http://127.0.0.1:{server.port}"}
    done = subprocess.run([a.faden, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, f"faden {arguments[0]}: {done.stderr}")
    return done.stdout


def exported(a, server, what):
    return [json.loads(line) for line in faden(a, server, "export", what).splitlines()]


def digest(a, server, until):
    """How many decisions before an instant, and the hash of all of them in one order."""
    decisions = sorted(json.dumps(row, sort_keys=True) for row in exported(a, server, "decisions") if row["at"] < until)
    return len(decisions), hashlib.sha256("\n".join(decisions).encode()).hexdigest()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden", required=True)
    p.add_argument("--seconds", type=float, default=3, help="under load before and after the backup, each")
    a = p.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="faden-backup-"))
    sink = Sink(directory / "delivered.ndjson")
    first = Server(a.faden, "backup-first", directory / "first", workspace(directory, webhook(sink), wait=2)).start()
    first.wait(lambda said: said.get("ready"))
    done, taken = threading.Event(), []
    senders = [threading.Thread(target=sender, args=(first, f"s{number}", done, taken), daemon=True) for number in range(SENDERS)]
    [thread.start() for thread in senders]
    time.sleep(a.seconds)
    before, begun = list(taken), time.time()
    archive = directory / "archive.tar.gz"
    faden(a, first, "backup", "--out", str(archive))
    took, meanwhile = time.time() - begun, len(taken) - len(before)
    time.sleep(a.seconds)
    done.set()
    [thread.join(timeout=30) for thread in senders]
    sink.drain(90, 4)

    told = json.loads(faden(a, first, "restore", str(archive), "--data", str(directory / "second"), "--json"))
    second = Server(a.faden, "backup-second", directory / "second")
    second.told = first.greeting()
    second.start().wait(lambda said: said.get("ready"))
    events = exported(a, second, "events")
    last, restored = events[-1]["receivedAt"], {event["messageId"] for event in events}
    lost = set(before) - restored
    check(not lost, f"{len(lost)} events that were answered before the backup are not in it")
    check(len(restored) < len(taken), "the backup holds what came after it: it was not taken under load")
    time.sleep(4)  # what was due at the last record's time has fired in both
    ours, theirs = digest(a, first, last), digest(a, second, last)
    check(ours[0] > 0 and ours == theirs, f"before {last} the first server decided {ours}, the restored one {theirs}")
    new = set(send(second, ["after-1", "after-2"]))
    check(new <= {event["messageId"] for event in exported(a, second, "events")}, "the restored server keeps no new event")
    check((first.stop(), second.stop()) == (0, 0), "a server did not end well")
    print(f"backup: passed: {len(before)} events before it, {meanwhile} while it ran ({took:.1f} s, {archive.stat().st_size / 1e6:.1f} MB), "
          f"{len(taken)} in all; state up to record {told['position']}, {len(restored)} events restored; {ours[0]} decisions, sha256 {ours[1][:16]} twice; "
          f"{sink.repeats} messages sent again under their ids")
    shutil.rmtree(directory)
    return 0


sys.exit(main())
