#!/usr/bin/env python3
"""How long searches take among very many profiles: by identifier, by name, by trait, also right after loading and a restart.

    search.py --faden target/release/faden [--profiles 1000000] [--rounds 200] [--most 100]

Everybody has a user id, an e-mail address, a phone number, a name of two words and a city. Each answer is looked
into as well: the one who was asked for must be on it where the question names one person, and every row must fit.
"""
import argparse, http.client, json, random, shutil, sys, tempfile, threading, time, urllib.parse
from pathlib import Path
from common import SOURCE, Server, call, workspace

FIRST = [f"{a}{b}{c}" for a in ("An", "Be", "Ca", "Da", "El", "Fi", "Ga", "He", "Id", "Jo") for b in ("l", "m", "n", "r", "s") for c in ("a", "e", "ik", "o", "us")]
LAST = [f"{a}{b}{c}" for a in ("Schn", "M", "B", "Kr", "W", "H", "L", "St", "Z", "R") for b in ("ei", "au", "ü", "o", "ie") for c in ("der", "er", "mann", "ger", "berg", "feld", "hoff", "stein")]
CITIES = ["Berlin"] * 40 + ["Hamburg"] * 20 + ["Wien"] * 20 + ["Köln"] * 10 + ["Kiel"] * 8 + ["Lübeck", "Husum"]
BATCH, CONNECTIONS = 400, 2


def person(number):
    pick = random.Random(number)
    first, last, city = pick.choice(FIRST), pick.choice(LAST), pick.choice(CITIES)
    return {"user_id": f"customer-{number}", "email": f"{first}.{last}{number}@example.com".lower().replace("ü", "ue"),
            "phone": f"+4915{number + 200_000_000}", "first_name": first, "last_name": last, "city": city}


def body(first, count):
    lines = []
    for number in range(first, first + count):
        who = person(number)
        traits = {name: value for name, value in who.items() if name != "user_id"}
        lines.append({"type": "identify", "messageId": f"i{number}", "userId": who["user_id"], "traits": traits})
    return json.dumps({"batch": lines}).encode()


def load(server, profiles):
    """Everybody, as fast as it is taken."""
    places, lock = iter(range(0, profiles, BATCH)), threading.Lock()

    def run():
        while True:
            with lock:
                first = next(places, None)
            if first is None:
                return
            data = body(first, min(BATCH, profiles - first))
            while (answer := call(server.port, "/v1/batch", data, SOURCE, 60))[0] in (429, 503):
                time.sleep(0.2)
            if answer[0] != 200:
                raise SystemExit(f"search: the batch was not taken: {answer}")

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]


# What is asked for, and whether it names the one person.
KINDS = {
    "whole user id": (lambda who: who["user_id"], True),
    "whole e-mail address": (lambda who: who["email"], True),
    "whole phone number": (lambda who: who["phone"], True),
    "beginning of a user id": (lambda who: who["user_id"][:-2], False),
    "beginning of an address": (lambda who: who["email"].partition("@")[0], True),
    "first name": (lambda who: who["first_name"], False),
    "first and last name": (lambda who: f"{who['first_name']} {who['last_name']}", False),
    "two letters": (lambda who: who["last_name"][:2], False),
    "a city": (lambda who: who["city"], False),
    "name and city": (lambda who: f"{who['first_name']} {who['last_name']} {who['city']}", False),
    "nobody": (lambda who: f"{who['first_name']}xyz", False),
    "nothing: those who came last": (lambda who: "", False),
}


class Asker:
    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.headers = {"authorization": f"Bearer {server.greeting()['admin_key']}"}

    def ask(self, text):
        begun = time.perf_counter()
        self.connection.request("GET", "/api/v1/profiles?" + urllib.parse.urlencode({"q": text}), headers=self.headers)
        answer = self.connection.getresponse()
        data = answer.read()
        taken = (time.perf_counter() - begun) * 1000
        if answer.status != 200:
            raise SystemExit(f"search: {text!r} is answered with {answer.status} {data[:300]}")
        return taken, json.loads(data)


def fits(kind, who, found):
    rows = found["items"]
    names_one = KINDS[kind][1]
    if kind == "nobody":
        return not rows
    if names_one:
        # Longer addresses may begin with this one; his own is on the page all the same.
        return any(who["user_id"] in json.dumps(row) or who["email"] in json.dumps(row) for row in rows)
    return bool(rows) or "next_page_token" in json.dumps(found)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden", required=True)
    p.add_argument("--profiles", type=int, default=1_000_000)
    p.add_argument("--rounds", type=int, default=200)
    p.add_argument("--most", type=float, help="milliseconds; exit 1 when the p99 of a kind, or a first question, takes longer")
    a = p.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="faden-search-"))
    server = Server(a.faden, "search", directory / "data", workspace(directory, 9), {"FADEN_LOG": "warn"}).start()
    server.wait(lambda said: said.get("ready"))
    begun, worst, missed = time.time(), 0.0, []
    load(server, a.profiles)
    print(f"{a.profiles} profiles loaded in {time.time() - begun:.0f} s\n\n| when | asked for | ms |\n| --- | --- | --- |", flush=True)
    choose = random.Random(7)

    def first(when):
        nonlocal worst
        asker = Asker(server)
        for kind in ("first name", "whole e-mail address", "a city"):
            who = person(choose.randrange(a.profiles))
            taken, found = asker.ask(KINDS[kind][0](who))
            worst = max(worst, taken)
            if not fits(kind, who, found):
                missed.append((when, kind, KINDS[kind][0](who)))
            print(f"| {when} | {kind} | {taken:.1f} |", flush=True)

    first("first questions, right after loading")
    if server.stop() != 0:
        raise SystemExit("search: the server did not end well")
    server.start()
    server.wait(lambda said: said.get("ready"))
    first("first questions after a restart")
    server.wait(lambda said: said.get("ready"))
    print("\n| asked for | p50 ms | p99 ms | slowest ms |\n| --- | --- | --- | --- |", flush=True)
    asker = Asker(server)
    for kind, (question, _) in KINDS.items():
        times = []
        for _ in range(a.rounds):
            who = person(choose.randrange(a.profiles))
            taken, found = asker.ask(question(who))
            times.append(taken)
            if not fits(kind, who, found):
                missed.append((kind, question(who)))
        times.sort()
        p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
        worst = max(worst, p99)
        print(f"| {kind} | {times[len(times) // 2]:.1f} | {p99:.1f} | {times[-1]:.1f} |", flush=True)
    code = server.stop()
    shutil.rmtree(directory)
    if missed:
        raise SystemExit(f"search: FAILED: {len(missed)} questions found nobody who fits, such as {missed[:5]}")
    print(f"\nslowest p99 or first question: {worst:.1f} ms")
    return 1 if code or (a.most and worst > a.most) else 0


sys.exit(main())
