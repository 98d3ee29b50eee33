#!/usr/bin/env python3
"""Unmodified Segment libraries against a running server: everything arrives, and browsing before a login joins the person.

    run.py --faden target/release/faden

Needs `npm ci` in tests/, the packages of tests/requirements.txt, and Chromium.
"""
import argparse, json, shutil, subprocess, sys, tempfile, urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "live"))
from common import Server, forbid

HERE = Path(__file__).resolve().parent
# Library: who, his anonymous self, the id that `alias` joins (an anonymous one, see docs/intake.md), and his events by kind.
EXPECTED = {
    "node": ("node-u", "node-a", "node-old", {"page": 1, "identify": 1, "screen": 1, "group": 1, "alias": 1, "Product Viewed": 1, "Counted": 100}),
    "browser": ("browser-u", "browser-a", "browser-old", {"page": 1, "identify": 1, "group": 1, "alias": 1, "Product Viewed": 1, "Logged In": 1}),
    "python plain": ("python-plain-u", "python-plain-a", "python-plain-old", {"page": 1, "identify": 1, "screen": 1, "group": 1, "alias": 1, "Product Viewed": 1, "Counted": 60}),
    "python gzip": ("python-gzip-u", "python-gzip-a", "python-gzip-old", {"page": 1, "identify": 1, "screen": 1, "group": 1, "alias": 1, "Product Viewed": 1, "Counted": 60}),
}


def get(base, path, key):
    request = urllib.request.Request(base + path, headers={"authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def events(base, key, who):
    counts, token = {}, ""
    while True:
        page = get(base, f"/api/v1/profiles/user_id:{who}/timeline?kinds=event&limit=200" + (f"&page_token={token}" if token else ""), key)
        for item in page["items"]:
            kind = item["data"]["type"]
            name = item["data"]["name"] if kind == "track" else kind
            counts[name] = counts.get(name, 0) + 1
        token = page["next_page_token"]
        if not token:
            return counts


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden", required=True)
    a = p.parse_args()
    data = tempfile.mkdtemp(prefix="faden-sdk-")
    forbid(*(f"{name.replace(' ', '-')}-u@example.com" for name in EXPECTED))
    server = Server(a.faden, "sdk", f"{data}/data").start()
    failures = []
    try:
        greeting = server.greeting()
        base, write_key, key = greeting["base_url"], greeting["write_key"], greeting["admin_key"]
        runs = {"node": ["node", HERE / "node.mjs", base, write_key], "browser": ["node", HERE / "browser.mjs", base, write_key],
                "python plain": [sys.executable, HERE / "python_library.py", base, write_key, "plain"],
                "python gzip": [sys.executable, HERE / "python_library.py", base, write_key, "gzip"]}
        for name, command in runs.items():
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            who, anonymous, earlier, wanted = EXPECTED[name]
            if done.returncode:
                failures.append(f"{name}: the library failed: {done.stderr.strip()[-800:]}")
                continue
            found = events(base, key, who)
            if found != wanted:
                failures.append(f"{name}: the timeline of {who} has {found}, it should have {wanted}")
            ids = {identifier: get(base, f"/api/v1/profiles/{identifier}", key)["id"] for identifier in (f"user_id:{who}", f"anonymous_id:{anonymous}", f"anonymous_id:{earlier}")}
            if len(set(ids.values())) != 1:
                failures.append(f"{name}: one person, but several profiles: {ids}")
            print(f"{name}: {sum(found.values())} events of {who}, one profile {next(iter(ids.values()))}")
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)
    print("\n".join(failures) if failures else "sdk: passed")
    return 1 if failures else 0


sys.exit(main())
