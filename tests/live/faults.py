#!/usr/bin/env python3
"""What breaks under a running server: a disk that fills up, a disk that goes read-only, a clock that is set back.

    faults.py --faden target/release/faden [--only disk,readonly,store,clock]

Each time customers put something into their carts and are to get one reminder each, through a webhook that counts.
What the server answered with 200 must be there in the end, once; what it did not, the sender sends again under the
same message ids. `/readyz` and the log must say what is wrong and what to do. Small disks need root (tmpfs, a loop
device), the clock needs Debian's `faketime`; what is not to be had is skipped, and said.
"""
import argparse, http.client, json, os, shutil, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from common import SOURCE, Server, Sink, call, webhook, workspace

LIBFAKETIME = "/usr/lib/{}-linux-gnu/faketime/libfaketime.so.1".format(os.uname().machine)
BATCH, EVENTS = 20, 3  # customers in a batch, events of one customer


class Skipped(Exception):
    """Why a part cannot run on this machine."""


def check(good, what):
    if not good:
        raise SystemExit(what)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


class Disk:
    """A small file system of its own, which ends with the `with` block."""

    def __init__(self, place, megabytes, kind="tmpfs"):
        self.place, self.megabytes, self.kind, self.image = place, megabytes, kind, place.with_suffix(".image")

    def __enter__(self):
        self.place.mkdir()
        if self.kind == "tmpfs":
            made = run("mount", "-t", "tmpfs", "-o", f"size={self.megabytes}m", "tmpfs", self.place)
        else:
            with open(self.image, "wb") as file:
                file.truncate(self.megabytes << 20)
            check(run("mkfs.ext4", "-q", "-F", self.image).returncode == 0, "mkfs.ext4 fails")
            made = self.mount()
        if made.returncode:
            raise Skipped(f"a {self.kind} cannot be mounted here: {made.stderr.strip()}")
        return self

    def mount(self):
        return run("mount", "-o", "loop", self.image, self.place)

    def __exit__(self, *_):
        run("umount", "-l", self.place)

    def fill(self, leave):
        """Leaves so many bytes of it free."""
        free = shutil.disk_usage(self.place).free
        with open(self.place / "filler", "wb") as file:
            for _ in range((free - leave) >> 20):
                file.write(bytes(1 << 20))


class Shop:
    """Customers with carts, in batches; what was answered with 200 is remembered."""

    def __init__(self, server, prefix):
        self.server, self.prefix, self.batches, self.taken, self.refusals = server, prefix, 0, set(), []

    def lines(self, number, padding):
        for customer in (f"{self.prefix}{number * BATCH + at}" for at in range(BATCH)):
            consent = {"consent": {"categoryPreferences": {"marketing": True}}}
            traits = {"email": f"{customer}@example.com"}
            yield {"type": "identify", "messageId": f"{customer}-0", "userId": customer, "traits": traits, "context": consent}
            yield {"type": "track", "messageId": f"{customer}-1", "userId": customer, "event": "Product Viewed",
                   "properties": {"sku": "p1", "price": 9, "note": "x" * padding}}
            yield {"type": "track", "messageId": f"{customer}-2", "userId": customer, "event": "Cart Updated",
                   "properties": {"cart_id": customer, "value": 50}}

    def send(self, number, padding=0):
        """One batch, once; whether it was taken."""
        self.batches = max(self.batches, number + 1)
        body = json.dumps({"batch": list(self.lines(number, padding))}).encode()
        try:
            status, answer = call(self.server.port, "/v1/batch", body, SOURCE)
        except (OSError, http.client.HTTPException):
            return False
        if status == 200:
            check(not json.loads(answer).get("rejected"), f"a batch was taken in part: {answer[:300]}")
            self.taken.add(number)
        else:
            self.refusals.append((status, json.loads(answer)))
        return status == 200

    def send_all(self, seconds=30):
        """Sends again, under the same ids, what was not answered with 200, and a few that were."""
        for number in [*range(self.batches), *sorted(self.taken)[:3]]:
            deadline = time.time() + seconds
            while not self.send(number):
                check(time.time() < deadline, f"batch {number} is not taken: {self.refusals[-1:]}")
                time.sleep(0.2)

    def customers(self):
        return {f"{self.prefix}{number}" for number in range(self.batches * BATCH)}

    def hold(self, sink, wanted=None):
        """Everybody got one reminder, and each event counts once."""
        wanted = self.customers() if wanted is None else wanted
        got = [row["user_id"] for row in sink.rows]
        missing = len(wanted - set(got))
        check(missing == 0 and len(got) == len(wanted), f"{len(wanted)} reminders are due, {len(got)} came, {missing} are missing")
        for customer in sorted(wanted)[:: max(1, len(wanted) // 40)]:
            status, page = self.server.get(f"/api/v1/profiles/user_id:{customer}/timeline?kinds=event&limit=50")
            check(status == 200 and len(page["items"]) == EVENTS, f"{customer} has {len(page.get('items', []))} events, not {EVENTS}: {status}")


def tells(server, said, code):
    """`/readyz` names the trouble and the way out, and so does the log; the code has a page."""
    check(not said["ready"] and said.get("code") == code, f"/readyz says {said}, not {code}")
    check(said.get("detail") and said.get("hint"), f"/readyz does not say what to do: {said}")
    errors = [line for line in server.log.read_text().splitlines() if " ERROR " in line and code in line]
    check(errors, f"the log has no error line with {code}")
    return errors[0]


def all_arrives(shop, sink):
    """Everything is sent again, and every reminder that is due comes once."""
    shop.send_all()
    sink.drain(120, 3, len(shop.customers()))
    shop.hold(sink)


def full_disk(a, directory, server, shop, sink):
    """A full disk stops intake and nothing else; with room again the server goes on by itself."""
    with Disk(server.data.parent, a.megabytes) as disk:
        server.start().wait(lambda said: said.get("ready"))
        for number in range(10):
            check(shop.send(number), "the empty server takes no batch")
        disk.fill(leave=512 << 10)
        number, deadline = 10, time.time() + 60
        # Wide events: the segment that has its room already fills up, and so does the store.
        while not shop.refusals:
            check(time.time() < deadline, f"the disk is full and batch {number} was still taken")
            shop.send(number, padding=18_000)
            number += 1
        status, problem = shop.refusals[-1]
        check(status == 503 and problem["code"] == "not-ready" and problem["hint"], f"intake answers {status} {problem}")
        said = server.wait(lambda said: said.get("ready") is False)
        line = tells(server, said, said.get("code"))
        check(said["code"] in ("log-full", "store-full"), f"/readyz says {said}")
        check(call(server.port, "/healthz", None, None)[0] == 200, "/healthz does not answer")
        taken = len(shop.taken)
        time.sleep(5)
        check(server.process.poll() is None, "the server ended")
        (disk.place / "filler").unlink()
        server.wait(lambda said: said.get("ready"), 60)
        all_arrives(shop, sink)
        # And once more from the disk alone.
        server.kill()
        server.start().wait(lambda said: said.get("ready"))
        sink.drain(5, 3)
        shop.hold(sink)
        check(server.stop() == 0, "the server did not end well")
    return f"{said['code']} after {taken} batches, by itself back; {len(sink.rows)} reminders, {sink.repeats} repeated ids; log: {line[:140]}"


def read_only(a, directory, server, shop, sink):
    """The kernel makes a file system read-only after a disk error; the server says so and loses nothing."""
    with Disk(server.data.parent, 400, "ext4") as disk:
        server.start().wait(lambda said: said.get("ready"))
        for number in range(10):
            check(shop.send(number), "the server takes no batch")
        # What ext4 does after an error of the disk.
        aborted = run("mount", "-o", "remount,abort", disk.place)
        if aborted.returncode:
            raise Skipped(f"ext4 cannot be told to stop here: {aborted.stderr.strip()}")
        deadline = time.time() + 30
        while not shop.refusals:
            check(time.time() < deadline, "the disk is read-only and batches are still taken")
            shop.send(shop.batches)
        status, problem = shop.refusals[-1]
        check(status == 503 and problem["code"] == "not-ready", f"intake answers {status} {problem}")
        said = server.wait(lambda said: said.get("ready") is False)
        line = tells(server, said, said.get("code"))
        server.kill()
        check(run("umount", disk.place).returncode == 0, "the broken file system is still in use")
        run("fsck.ext4", "-p", "-f", disk.image)
        check(disk.mount().returncode == 0, "the mended file system cannot be mounted")
        server.start().wait(lambda said: said.get("ready"))
        all_arrives(shop, sink)
        check(server.stop() == 0, "the server did not end well")
    return f"{said['code']}; {len(sink.rows)} reminders, {sink.repeats} repeated ids; log: {line[:140]}"


def read_only_store(a, directory, server, shop, sink):
    """A store directory that is read-only at the start: an error that says so; writable again, all is there."""
    server.start().wait(lambda said: said.get("ready"))
    for number in range(5):
        check(shop.send(number), "the server takes no batch")
    server.kill()
    store = server.data / "store"
    if run("mount", "--bind", store, store).returncode:
        raise Skipped("a directory cannot be bound here")
    try:
        check(run("mount", "-o", "remount,ro,bind", store).returncode == 0, "the directory cannot be made read-only")
        server.start()
        code = server.process.wait(timeout=30)
        last = " ".join(server.log.read_text().strip().splitlines()[-4:])
        check(code == 1 and "[store-open]" in last and "ead-only" in last, f"exit code {code}: {last}")
    finally:
        run("umount", "-l", store)
    server.start().wait(lambda said: said.get("ready"))
    all_arrives(shop, sink)
    check(server.stop() == 0, "the server did not end well")
    return f"exit code {code}: {last[:140]}"


def clock_back(a, directory, server, shop, sink):
    """The clock goes back an hour: time stands still, nothing fires twice, and it goes on when the clock has caught up."""
    if not Path(LIBFAKETIME).exists():
        raise Skipped("the package `faketime` is missing")
    clock = directory / "clock"

    def shift(seconds):
        new = directory / "clock.new"
        new.write_text(f"{seconds:+d}")
        new.rename(clock)

    shift(0)
    server.environment |= {"LD_PRELOAD": LIBFAKETIME, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1"}
    server.start().wait(lambda said: said.get("ready"))
    for number in range(5):
        check(shop.send(number), "the server takes no batch")
    sink.drain(60, 3, len(shop.customers()))
    early = shop.customers()
    shop.hold(sink)
    shop.send(5)
    shift(-3600)
    for number in range(6, 10):
        check(shop.send(number), "the server takes no batch while its clock is behind")
    said = server.wait(lambda said: said.get("clock_behind_ms", 0) > 3_000_000)
    check(said["ready"] and said.get("code") == "clock-behind" and said.get("hint"), f"/readyz says {said}")
    check(any(" WARN " in line and "clock-behind" in line for line in server.log.read_text().splitlines()), "the log says nothing of the clock")
    for restart in (False, True):
        if restart:
            server.kill()
            server.start().wait(lambda said: said.get("ready") and said.get("clock_behind_ms", 0) > 3_000_000)
            shop.send_all()
        sink.drain(5, 3)
        shop.hold(sink, early)
    times = []
    for customer in ("c100", "c120", "c199"):
        items = server.get(f"/api/v1/profiles/user_id:{customer}/timeline?limit=50")[1]["items"]
        times.append([item["at"] for item in items])
    check(all(list(reversed(sorted(one))) == one for one in times), f"times go back: {times}")
    shift(0)
    server.wait(lambda said: said.get("clock_behind_ms", 0) == 0, 20)
    sink.drain(60, 3, len(shop.customers()))
    shop.hold(sink)
    shift(-3600)
    sink.drain(5, 3)
    shop.hold(sink)
    shift(0)
    check(server.stop() == 0, "the server did not end well")
    return f"{said['code']}, {said['clock_behind_ms'] // 1000} s; {len(sink.rows)} reminders, none before its time, none twice"


PARTS = {"disk": full_disk, "readonly": read_only, "store": read_only_store, "clock": clock_back}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden", required=True)
    p.add_argument("--only", default=",".join(PARTS))
    p.add_argument("--megabytes", type=int, default=230, help="of the disk that fills up")
    a = p.parse_args()
    names = a.only.split(",")
    # Each has a server and a disk of its own, and most of its time is waiting.
    with ThreadPoolExecutor(len(names)) as pool:
        good = list(pool.map(lambda name: part(a, name), names))
    return 0 if all(good) else 1


def part(a, name):
    directory, begun = Path(tempfile.mkdtemp(prefix=f"faden-faults-{name}-")), time.time()
    sink = Sink(directory / "delivered.ndjson")
    server = Server(a.faden, f"faults-{name}", directory / "disk" / "data", workspace(directory, webhook(sink), wait=3))
    try:
        outcome = PARTS[name](a, directory, server, Shop(server, "c"), sink)
        print(f"faults, {name}: passed in {time.time() - begun:.0f} s: {outcome}", flush=True)
    except Skipped as why:
        print(f"faults, {name}: SKIPPED: {why}", flush=True)
    except BaseException as failed:
        print(f"faults, {name}: FAILED: {failed}; kept in {directory}", flush=True)
        return False
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
    shutil.rmtree(directory)
    return True


sys.exit(main())
