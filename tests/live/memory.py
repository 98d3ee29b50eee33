#!/usr/bin/env python3
"""Whether a server's memory stays flat: millions of events, and what the process holds after each million.

    memory.py --faden target/release/faden [--events 10000000] [--customers 200000 | --ever-new]

Customers view products, fill carts and order; the live workspace's journey holds each for some seconds, nobody has
agreed to be written to, so every passage ends in a decision and nothing waits for a provider. `--ever-new` gives
every customer five events and never returns to him: what is kept for each must then be on the disk.

Two figures for each million: at work, where up to a million records may wait to be written to the store, and at rest,
when the load has paused and nothing waits any more. What is not bounded grows in the second one.
"""
import argparse, json, random, shutil, socket, sys, tempfile, threading, time
from pathlib import Path
from common import SOURCE, Server, workspace

BATCH, CONNECTIONS = 200, 3
KINDS = [(b"Product Viewed", b'{"sku":"p%d","price":%d}')] * 7 + [(b"Cart Updated", b'{"cart_id":"c%d","value":%d}')] * 2 + [
    (b"Order Completed", b'{"order_id":"o%d","revenue":%d}')]
LINE = b'{"type":"track","messageId":"m%d","userId":"u%d","event":"%s","properties":%s}'


def resident(process):
    """Megabytes of the process that are its own, without pages of files."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024


def at_rest(process, seconds=60):
    """What it holds when it has come to rest: next to no processor time for four seconds."""
    def used():
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    deadline, before = time.time() + seconds, used()
    while time.time() < deadline:
        time.sleep(4)
        now = used()
        if now - before < 8:
            break
        before = now
    return resident(process)


def directory_bytes(directory):
    # What is about to leave the store has a second name, and both are found here.
    files = (path.stat() for path in directory.rglob("*") if path.is_file())
    return sum(file.st_size // file.st_nlink for file in files)


class Load:
    def __init__(self, server, customers, events):
        self.server, self.customers, self.events, self.next, self.done, self.lock = server, customers, events, 0, 0, threading.Lock()
        self.going = threading.Event()
        self.going.set()

    def take(self):
        self.going.wait()
        with self.lock:
            first = self.next
            self.next += BATCH
        return first if first < self.events else None

    def body(self, first):
        choose = random.Random(first).getrandbits
        lines = []
        for number in range(first, first + BATCH):
            chance = choose(32)
            who = chance % self.customers if self.customers else number // 5
            name, properties = KINDS[(chance >> 20) % 10]
            lines.append(LINE % (number, who, name, properties % (chance % 997, 20 + chance % 200)))
        return b'{"batch":[' + b",".join(lines) + b"]}"

    def run(self):
        stream = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
        head = f"POST /v1/batch HTTP/1.1\r\nhost: x\r\nauthorization: {SOURCE}\r\ncontent-type: application/json\r\ncontent-length: "
        while (first := self.take()) is not None:
            body = self.body(first)
            while True:
                stream.sendall(head.encode() + b"%d\r\n\r\n" % len(body) + body)
                answer = stream.recv(65536)
                if answer.startswith(b"HTTP/1.1 200"):
                    break
                if not answer.startswith((b"HTTP/1.1 429", b"HTTP/1.1 503")):
                    raise SystemExit(f"memory: the server answers {answer[:400]}")
                time.sleep(0.2)
            with self.lock:
                self.done += BATCH
        stream.close()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden", required=True)
    p.add_argument("--events", type=int, default=10_000_000)
    p.add_argument("--customers", type=int, default=200_000)
    p.add_argument("--ever-new", action="store_true")
    p.add_argument("--every", type=int, default=1_000_000)
    p.add_argument("--seconds", type=float, default=340, help="it ends then, with as many events as there were")
    p.add_argument("--cache", type=int, default=256, help="megabytes of the store's cache, which fills up first of all")
    p.add_argument("--most", type=float, help="megabytes; exit 1 beyond it")
    a = p.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="faden-memory-"))
    server = Server(a.faden, "memory", directory / "data", workspace(directory, 9, wait=5), {"FADEN_LOG": "warn"}, ["--cache", str(a.cache)]).start()
    server.wait(lambda said: said.get("ready"))
    load = Load(server, 0 if a.ever_new else a.customers, a.events)
    who = "ever-new customers, 5 events each" if a.ever_new else f"{a.customers} customers"
    print(f"{a.events} events, {who}, {a.cache} MB of cache\n\n| events | MB at work | MB at rest | MB on disk | events/s |\n| --- | --- | --- | --- | --- |", flush=True)
    threads = [threading.Thread(target=load.run, daemon=True) for _ in range(CONNECTIONS)]
    [thread.start() for thread in threads]
    begun = since = time.time()
    before, mark, held = 0, a.every, []
    while any(thread.is_alive() for thread in threads) and time.time() - begun < a.seconds:
        time.sleep(0.05)
        if load.done >= mark:
            now, done = time.time(), load.done
            at_work = resident(server.process)
            load.going.clear()
            held.append(at_rest(server.process))
            print(f"| {done / 1e6:.1f} M | {at_work:.0f} | {held[-1]:.0f} | {directory_bytes(server.data) / 1e6:.0f} | {(done - before) / (now - since):.0f} |", flush=True)
            load.going.set()
            before, since, mark = load.done, time.time(), mark + a.every
    load.events = 0
    [thread.join(timeout=60) for thread in threads]
    print(f"\nin the end {resident(server.process):.0f} MB; {load.done} events in {time.time() - begun:.0f} s", flush=True)
    status, overview = server.get("/api/v1/overview", limit=60)
    print(json.dumps({name: overview.get(name) for name in ("profiles", "events_total", "messages_total") if name in overview}) if status == 200 else status)
    code = server.stop()
    shutil.rmtree(directory)
    return 1 if code or (a.most and max(held) > a.most) else 0


sys.exit(main())
