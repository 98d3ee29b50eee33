"""What the live scripts share: servers whose logs are kept, sinks that count, calls whose refusals are kept.

Logs, answers that refuse, and the list of what must stand in neither go to the directory FADEN_LIVE_LOGS (a
temporary one otherwise); `privacy.py` looks through it when all scripts are through.
"""
import atexit, base64, http.client, http.server, json, os, random, shutil, signal, socket, subprocess, sys, tempfile, threading, time
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEY, SECRET = "shop-write-key", "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
SOURCE = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
KEPT = Path(os.environ.get("FADEN_LIVE_LOGS") or tempfile.mkdtemp(prefix="faden-live-"))
KEPT.mkdir(parents=True, exist_ok=True)


def forbid(*texts):
    """Texts that no log line and no refusal may show: addresses, numbers, keys."""
    with open(KEPT / "forbidden", "a") as file:
        file.writelines(f"{text}\n" for text in texts if text)


forbid(KEY, SECRET, SOURCE.split()[1])


def check(good, what):
    """Ends the script when something that must hold does not."""
    if not good:
        raise SystemExit(f"{Path(sys.argv[0]).stem}: FAILED: {what}")


def free_port():
    """A port that nobody listens on, below those that the system gives to callers: a server may start late."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Sink:
    """Lines of delivered messages; `repeats` are calls that carried an id that was there already."""

    def __init__(self, path):
        self.file, self.lock, self.seen, self.repeats, self.rows = open(path, "w"), threading.Lock(), set(), 0, []

    def take(self, key, row, honours_key):
        with self.lock:
            if key in self.seen:
                self.repeats += 1
                if honours_key:
                    return
            self.seen.add(key)
            self.rows.append(row)
            self.file.write(json.dumps(row) + "\n")
            self.file.flush()

    def drain(self, seconds, quiet=6, wanted=0):
        """Waits until so many have come, and then nothing more for a while."""
        last, since, deadline = -1, time.time(), time.time() + seconds
        while time.time() < deadline:
            if len(self.seen) != last:
                last, since = len(self.seen), time.time()
            elif last >= wanted and time.time() - since > quiet:
                return
            time.sleep(0.2)


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


def workspace(directory, hook_port, smtp_port=25, wait=20, channel="webhook"):
    """The live workspace with its addresses filled in."""
    words = {"@WEBHOOK_URL@": f"http://127.0.0.1:{hook_port}/hook", "@SMTP_PORT@": str(smtp_port), "@WAIT@": f"{wait}s", "@CHANNEL@": channel}
    made = directory / "workspace"
    shutil.copytree(HERE / "workspace", made)
    for path in made.rglob("*.yaml"):
        text = path.read_text()
        for word, value in words.items():
            text = text.replace(word, value)
        path.write_text(text)
    return made


class Server:
    """`faden serve` on one data directory, started and ended as often as a script likes."""

    def __init__(self, faden, name, data, workspace=None, environment=None, options=()):
        self.faden, self.name, self.data, self.workspace, self.port = faden, name, data, workspace, free_port()
        self.environment = {"FADEN_LOG": "debug", **os.environ, "FADEN_SHOP_KEY": KEY, "FADEN_HOOK_SECRET": SECRET, **(environment or {})}
        self.process, self.starts, self.told, self.options = None, 0, None, options
        # A script that breaks off leaves no server behind.
        atexit.register(lambda: self.process and self.process.poll() is None and self.kill())
        self.log, self.out = KEPT / f"{name}-{os.getpid()}.log", KEPT / f"{name}-{os.getpid()}.out"

    def start(self):
        arguments = [self.faden, "serve", "--json", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        arguments += [*self.options, *(["--workspace", self.workspace] if self.workspace else [])]
        with open(self.log, "a") as log, open(self.out, "a") as out:
            self.process = subprocess.Popen(arguments, env=self.environment, stdout=out, stderr=log)
        self.starts += 1
        return self

    def greeting(self):
        """What the first start printed: address and keys."""
        deadline = time.time() + 120
        while self.told is None:
            line = self.out.read_text().partition("\n")[0]
            if line:
                self.told = json.loads(line)
                forbid(self.told["admin_key"], self.told["write_key"], self.told["login"].partition("=")[2])
            elif time.time() > deadline or self.process.poll() is not None:
                raise SystemExit(f"{self.name}: the server does not start:\n{self.log.read_text()[-2000:]}")
            else:
                time.sleep(0.05)
        return self.told

    def get(self, path, limit=10):
        """Status and JSON of a call by its owner."""
        status, body = call(self.port, path, None, f"Bearer {self.greeting()['admin_key']}", limit)
        return status, json.loads(body)

    def readiness(self):
        """What `/readyz` says; an empty object where nobody answers."""
        try:
            return json.loads(call(self.port, "/readyz", None, None)[1])
        except (OSError, http.client.HTTPException):
            return {}

    def wait(self, what, seconds=120):
        """Waits until `/readyz` says what `what` looks for, and gives what it said."""
        deadline = time.time() + seconds
        while not what(said := self.readiness()):
            if time.time() > deadline:
                raise SystemExit(f"{self.name}: /readyz says {said} after {seconds} s:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.1)
        return said

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
        text = answer.read()
        if answer.status >= 400:
            with open(KEPT / "refusals", "ab") as file:
                file.write(text.rstrip() + b"\n")
        return answer.status, text
    finally:
        connection.close()
