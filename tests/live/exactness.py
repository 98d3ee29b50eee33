#!/usr/bin/env python3
"""The cart job over HTTP while the server is killed again and again: every reminder that is due, once.

    exactness.py --faden target/release/faden [--customers 20000] [--kills 50] [--channel webhook|email]

Starts `faden serve`, sends the cart job's customers in batches and sends again whatever was not answered,
kills the server with `kill -9` at random moments and starts it again. A sink in this process (a webhook that
honours the idempotency key, or an SMTP server, which has none) writes a line per delivered reminder; in the
end the acceptance case's own checker counts them. Exit 77 when that checker is missing.
"""
import argparse, http.client, json, random, re, shutil, subprocess, sys, tempfile, threading, time
from pathlib import Path
from common import HERE, SOURCE, Server, Sink, call, free_port, webhook, workspace

BATCH = 100


def smtp(sink):
    from aiosmtpd.controller import Controller

    class Handler:
        async def handle_DATA(self, _server, _session, envelope):
            text = envelope.content.decode(errors="replace")
            key = re.search(r"(?im)^message-id:\s*<([^>]+)>", text).group(1)
            address = envelope.rcpt_tos[0]
            sink.take(key, {"user_id": address.split("@")[0], "email": address}, False)
            return "250 kept"

    port = free_port()
    Controller(Handler(), hostname="127.0.0.1", port=port).start()
    return port


def customers(checker, count):
    """Batches of calls: the carts of some customers, then the orders of those who order."""
    namespace = {"__name__": "cart"}
    source = checker.read_text().split("\np = argparse.ArgumentParser()")[0]
    exec(compile(source, str(checker), "exec"), namespace)
    for first in range(0, count, BATCH // 5):
        lines = [json.loads(line) for i in range(first, min(first + BATCH // 5, count)) for _, line in namespace["customer"](i, 0)]
        for line in lines:
            # The time of arrival counts: the file's own times lie in the past.
            del line["timestamp"]
        carts = [line for line in lines if line.get("event") != "Order Completed"]
        orders = [line for line in lines if line.get("event") == "Order Completed"]
        yield carts
        if orders:
            yield orders


def send(server, batch, deadline):
    body = json.dumps({"batch": batch}).encode()
    while time.time() < deadline:
        try:
            status, answer = call(server.port, "/v1/batch", body, SOURCE)
            if status == 200 and not json.loads(answer).get("rejected"):
                return
            if status not in (429, 503):
                raise SystemExit(f"exactness: the server refused a batch: {status} {answer[:500]}")
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    raise SystemExit(f"exactness: the server took a batch in no time that was given; see {server.log}")


def killer(server, kills, seconds, done):
    moments = sorted(random.uniform(0, seconds) for _ in range(kills))
    begun, killed = time.time(), 0
    for moment in moments:
        if done.wait(max(0.0, begun + moment - time.time())):
            break
        server.kill()
        killed += 1
        server.start()
    server.killed = killed


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden", required=True)
    p.add_argument("--shared", default=str(HERE.parent.parent.parent / "shared" / "acceptance"))
    p.add_argument("--customers", type=int, default=20_000)
    p.add_argument("--kills", type=int, default=50)
    p.add_argument("--seconds", type=float, default=100, help="over which customers and kills are spread")
    p.add_argument("--wait", type=int, default=20, help="the journey's hour, in seconds")
    p.add_argument("--channel", choices=["webhook", "email"], default="webhook")
    p.add_argument("--seed", type=int, default=int(time.time()))
    a = p.parse_args()
    checker = Path(a.shared) / "cart" / "cart.py"
    if not checker.exists():
        print(f"exactness: SKIPPED: {checker} is missing")
        return 77
    random.seed(a.seed)
    directory = Path(tempfile.mkdtemp(prefix="faden-exactness-"))
    sink = Sink(directory / "delivered.ndjson")
    files = workspace(directory, webhook(sink), smtp(sink) if a.channel == "email" else 25, a.wait, a.channel)
    server = Server(a.faden, f"exactness-{a.channel}", directory / "data", files)
    server.start()
    done, server.killed = threading.Event(), 0
    # Kills go on while reminders go out.
    thread = threading.Thread(target=killer, args=(server, a.kills, a.seconds + a.wait, done))
    thread.start()
    batches = list(customers(checker, a.customers))
    begun, events = time.time(), 0
    for number, batch in enumerate(batches):
        send(server, batch, time.time() + 120)
        events += len(batch)
        time.sleep(max(0.0, begun + a.seconds * number / len(batches) - time.time()))
    thread.join()
    sink.drain(a.wait + 300)
    done.set()
    code = server.stop()
    print(f"{events} events, {server.killed} kills, seed {a.seed}, {sink.repeats} calls repeated a message's id, last exit code {code}")
    check = subprocess.run([sys.executable, checker, "check", str(a.customers), directory / "delivered.ndjson"], capture_output=True, text=True)
    print(check.stdout, end="")
    found = re.search(r"(\d+) due, (\d+) sent, (\d+) missing, (\d+) extra, (\d+) twice, (\d+) to a wrong address", check.stdout)
    if not found:
        print(check.stderr, file=sys.stderr)
        return 1
    _, _, missing, extra, twice, wrong = map(int, found.groups())
    # SMTP has no idempotency key: what was handed over and not yet written down goes out again, one per kill at most.
    allowed = server.killed if a.channel == "email" else 0
    good = missing == 0 and extra == 0 and wrong == 0 and twice <= allowed and code == 0
    print(f"exactness: {'passed' if good else 'FAILED'} ({a.channel}; repeats allowed {allowed}); kept in {directory}" if not good
          else f"exactness: passed ({a.channel}; {twice} repeats, {allowed} allowed)")
    if good:
        shutil.rmtree(directory)
    return 0 if good else 1


sys.exit(main())
