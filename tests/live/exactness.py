#!/usr/bin/env python3
"""The cart job over HTTP while the server is killed again and again: every reminder that is due, once.

    exactness.py --faden target/release/faden [--customers 20000] [--kills 50] [--channel webhook|email]

Starts `faden serve`, sends the cart job's customers in batches and sends again whatever was not answered,
kills the server with `kill -9` at random moments and starts it again. A sink in this process (a webhook that
honours the idempotency key, or an SMTP server, which has none) writes a line per delivered reminder; in the
end the acceptance case's own checker counts them. Exit 77 when that checker is missing.
"""
import argparse, base64, http.client, http.server, json, os, random, re, shutil, signal, socket, subprocess, sys, tempfile, threading, time
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEY, SECRET = "shop-write-key", "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
BATCH = 100


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Sink:
    """Lines of delivered reminders; `repeats` are calls that carried an id that was there already."""

    def __init__(self, path):
        self.file, self.lock, self.seen, self.repeats = open(path, "w"), threading.Lock(), set(), 0

    def take(self, key, row, honours_key):
        with self.lock:
            if key in self.seen:
                self.repeats += 1
                if honours_key:
                    return
            self.seen.add(key)
            self.file.write(json.dumps(row) + "\n")
            self.file.flush()


def webhook(sink):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            data = json.loads(self.rfile.read(int(self.headers["content-length"])))["data"]
            sink.take(self.headers["webhook-id"], {"user_id": data["user_id"], "email": data["content"]["email"]}, True)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


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


class Server:
    def __init__(self, faden, directory, workspace):
        self.faden, self.directory, self.workspace, self.port = faden, directory, workspace, free_port()
        self.environment = {**os.environ, "FADEN_SHOP_KEY": KEY, "FADEN_HOOK_SECRET": SECRET}
        self.process, self.starts = None, 0
        self.log = open(directory / "server.log", "a")

    def start(self):
        arguments = [self.faden, "serve", "--data", self.directory / "data", "--listen", f"127.0.0.1:{self.port}", "--workspace", self.workspace]
        self.process = subprocess.Popen(arguments, env=self.environment, stdout=self.log, stderr=self.log)
        self.starts += 1

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


def call(port, path, body, authorization, limit=10):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit)
    try:
        headers = {"content-type": "application/json"} | ({"authorization": authorization} if authorization else {})
        connection.request("POST" if body else "GET", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


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
    authorization = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
    while time.time() < deadline:
        try:
            status, answer = call(server.port, "/v1/batch", body, authorization)
            if status == 200 and not json.loads(answer).get("rejected"):
                return
            if status not in (429, 503):
                raise SystemExit(f"exactness: the server refused a batch: {status} {answer[:500]}")
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    raise SystemExit("exactness: the server took a batch in no time that was given; see server.log")


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


def drain(server, sink, seconds):
    """Waits until nothing has come for a while."""
    last, since, deadline = -1, time.time(), time.time() + seconds
    while time.time() < deadline:
        if len(sink.seen) != last:
            last, since = len(sink.seen), time.time()
        elif time.time() - since > 6:
            return
        time.sleep(0.2)


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
    words = {"@WEBHOOK_URL@": f"http://127.0.0.1:{webhook(sink)}/hook", "@SMTP_PORT@": str(smtp(sink) if a.channel == "email" else 25),
             "@WAIT@": f"{a.wait}s", "@CHANNEL@": a.channel}
    workspace = directory / "workspace"
    shutil.copytree(HERE / "workspace", workspace)
    for path in workspace.rglob("*.yaml"):
        text = path.read_text()
        for word, value in words.items():
            text = text.replace(word, value)
        path.write_text(text)
    server = Server(a.faden, directory, workspace)
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
    drain(server, sink, a.wait + 300)
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
