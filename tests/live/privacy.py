#!/usr/bin/env python3
"""No address, number or key in any log line, nor in what a server refuses with.

    privacy.py --faden target/release/faden     asks a server everything that goes wrong, then looks
    privacy.py --look                           only looks through what the live scripts kept

Logs are those of every server that the live scripts started, at level debug, and refusals all answers from 400 on
that they got; both are kept in FADEN_LIVE_LOGS. What must not be there is what the scripts' customers and keys
are, and whatever looks like an address, a number in international form, or a secret.
"""
import argparse, http.client, json, re, shutil, sys, tempfile, threading, time
from pathlib import Path
from common import KEPT, KEY, SOURCE, Server, Sink, call, forbid, free_port, webhook, workspace

# What the servers of the live scripts may say of themselves: senders, not customers.
OURS = {"shop@shop.example"}
SHAPES = {
    "an address": re.compile(rb"[\w.+%-]+@[\w-]+\.[a-z]{2,}", re.I),
    "a number": re.compile(rb"\+[1-9]\d{7,14}\b"),
    "a secret": re.compile(rb"\b(?:whsec|fdn|fds|fdk)_[A-Za-z0-9+/=_-]{8,}|authorization: (?:basic|bearer) [A-Za-z0-9+/=_-]{8,}", re.I),
}
PEOPLE = [{"email": f"quiet.person{n}@private.example", "phone": f"+4915112345{n:03}", "name": f"Quietina Privat{n}"} for n in range(20)]


def identify(number, **more):
    person = PEOPLE[number % len(PEOPLE)]
    return {"type": "identify", "messageId": f"p-{number}", "userId": f"quiet-{number}", "traits": person,
            "context": {"consent": {"categoryPreferences": {"marketing": True}}, "ip": "203.0.113.77"}} | more


def ask_everything(faden):
    """One server, and every call that it should refuse, with somebody's data in it."""
    forbid(*(value for person in PEOPLE for value in (*person.values(), person["phone"][1:])), "203.0.113.77")
    directory = Path(tempfile.mkdtemp(prefix="faden-privacy-"))
    sink, smtp = Sink(directory / "delivered"), refusing_smtp()
    server = Server(faden, "privacy", directory / "data", workspace(directory, webhook(sink), smtp, wait=1, channel="email")).start()
    server.wait(lambda said: said.get("ready"))
    owner, person = f"Bearer {server.greeting()['admin_key']}", PEOPLE[0]
    mail, phone = person["email"], person["phone"]
    wrong = [f"Bearer {KEY}x", "Basic c2hvcC13cml0ZS1rZXkxOg==", "Bearer fdk_0000000000000000000000", None]
    forbid("shop-write-key1", "fdk_0000000000000000000000")
    bad = [identify(1, timestamp=mail), identify(2, type=mail), identify(3, userId=[mail]), identify(4, traits=mail), identify(5, messageId={"a": phone}),
           {"type": "track", "userId": mail, "event": {"x": phone}}, {"type": "alias", "userId": mail}, {"type": "group", "userId": mail},
           {"type": "track", "userId": "u", "event": mail * 100, "properties": {"to": mail}}, mail, [phone], {"type": "identify", "traits": person},
           identify(6, traits={"email": mail + " " + phone, "phone": mail}), identify(7, context=phone), identify(8, userId=mail * 200)]
    bodies = [json.dumps({"batch": bad}), *map(json.dumps, bad), f'{{"type":"track","userId":"{mail}"', mail, json.dumps({"batch": mail}), f"\x00{phone}"]
    for body in bodies:
        for path in ("/v1/batch", "/v1/identify", "/v1/track", "/v1/events", "/events"):
            call(server.port, path, body.encode(), SOURCE)
    for authorization in wrong:
        call(server.port, "/v1/batch", json.dumps({"batch": [identify(9)]}).encode(), authorization)
        call(server.port, f"/api/v1/profiles/email:{mail}", None, authorization)
    for path in (f"profiles/email:{mail}", f"profiles/phone:{phone}", f"profiles/{mail}/timeline", f"profiles?q={mail}&limit={phone}", f"messages/{mail}",
                 f"consents/{mail}", f"journeys/{mail}", f"decisions/{mail}", f"{mail}", f"export/{mail}", f"profiles?page_token={mail}"):
        call(server.port, "/api/v1/" + path, None, owner)
    for path, body in (("decide", {"user_id": mail, "event": {"type": mail}}), ("decide", {"userId": person}), ("keys", {"name": mail, "role": phone}),
                       ("consents", {"who": mail}), ("dead_letters", person), ("workspace", {"files": {mail: phone}}),
                       ("channels/mail/test", {"to": mail, "profile": phone}), (f"profiles/email:{mail}/forget", person)):
        call(server.port, "/api/v1/" + path, json.dumps(body).encode(), owner)
    for path in (f"/u/{mail}", f"/p/{mail}.{phone}", f"/inbound/mail?from={mail}", f"/login?token={phone}"):
        call(server.port, path, None, None)
        call(server.port, path, json.dumps(person).encode(), None)
    # And what goes well until a provider refuses it, with the address in its answer.
    carts = [{"type": "track", "messageId": f"c-{n}", "userId": f"quiet-{n}", "event": "Cart Updated", "properties": {"cart_id": "c", "value": 50}} for n in range(20)]
    status, answer = call(server.port, "/v1/batch", json.dumps({"batch": [identify(n, messageId=f"q-{n}") for n in range(20)] + carts}).encode(), SOURCE)
    if status != 200:
        raise SystemExit(f"privacy: the good batch was refused: {status}")
    deadline = time.time() + 20
    while server.get("/api/v1/messages?state=failed&limit=50")[1]["items"].__len__() < 5:
        if time.time() > deadline:
            raise SystemExit("privacy: the provider's refusals did not come back as failed messages")
        time.sleep(0.2)
    code = server.stop()
    shutil.rmtree(directory)
    return code


def refusing_smtp():
    """A mail server that says no, and repeats the address as most do."""
    from aiosmtpd.controller import Controller

    class Handler:
        async def handle_RCPT(self, _server, _session, _envelope, address, _options):
            return f"550 5.1.1 <{address}>: Recipient address rejected: {address} is unknown here"

    port = free_port()
    Controller(Handler(), hostname="127.0.0.1", port=port).start()
    return port


def look():
    """Everything that was kept, against everything that must not be in it."""
    forbidden = sorted({line for line in (KEPT / "forbidden").read_bytes().splitlines() if len(line) > 5})
    plain = re.compile(b"|".join(map(re.escape, forbidden)))
    files = [*KEPT.glob("*.log"), *KEPT.glob("*.out"), *KEPT.glob("refusals")]
    found, lines = [], 0
    for path in sorted(files):
        greeted = path.suffix == ".out"
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            lines += 1
            # The first start shows the first keys, once: that line is for their owner.
            if greeted and number == 1:
                continue
            for what, shape in {"a forbidden text": plain, **SHAPES}.items():
                for hit in shape.findall(line):
                    if hit.decode(errors="replace") not in OURS:
                        found.append(f"{path.name}:{number}: {what}: {hit.decode(errors='replace')}: {line[:200].decode(errors='replace')}")
    print("\n".join(found[:30]))
    print(f"privacy: {'FAILED' if found else 'passed'}: {len(files)} files, {lines} lines, {len(forbidden)} texts and {len(SHAPES)} shapes looked for, {len(found)} found")
    return 1 if found else 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden")
    p.add_argument("--look", action="store_true")
    a = p.parse_args()
    code = ask_everything(a.faden) if a.faden else 0
    return look() or code


sys.exit(main())
