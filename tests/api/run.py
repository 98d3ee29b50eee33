#!/usr/bin/env python3
"""The running server against its own OpenAPI document: no 5xx, no breach of what the document promises.

    run.py --faden target/release/faden [--examples 8] [--seed 7]

Schemathesis calls every operation with an admin's key, with what the document allows and with what it does
not: answers must have a status, a content type and a body that the document names, and wrong input must be
refused. The server is one of its own, with a data directory of its own. Needs tests/requirements.txt.
"""
import argparse, json, os, shutil, subprocess, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "live"))
from common import Server, call

HERE = Path(__file__).resolve().parent
WORKSPACE = HERE.parent.parent / "examples" / "cart_recovery"
SECONDS_MAX = 120
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "negative_data_rejection", "missing_required_header", "unsupported_method", "ignored_auth"]
# A stream never ends; everything else is called.
LEFT_OUT = ["/api/v1/stream"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden", required=True)
    p.add_argument("--examples", type=int, default=8)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--only", help="operations whose path begins so")
    a = p.parse_args()
    data = Path(tempfile.mkdtemp(prefix="faden-api-"))
    server = Server(a.faden, "api", data / "data", WORKSPACE).start()
    started = time.monotonic()
    try:
        greeting = server.greeting()
        base, write_key, key = greeting["base_url"], greeting["write_key"], greeting["admin_key"]
        # Somebody to find, a journey that he is in, a letter that could not be taken.
        calls = [{"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com", "name": "Ada"}},
                 {"type": "track", "userId": "u1", "event": "Cart Updated", "properties": {"value": 50}}, {"type": "track"}]
        status, answer = call(server.port, "/v1/batch", json.dumps({"batch": calls}), f"Bearer {write_key}")
        if status != 200:
            raise SystemExit(f"api: the server answers {status} {answer[:400]}")
        test = [sys.executable, "-m", "schemathesis.cli", "run", f"{base}/api/v1/openapi.json", "-H", f"Authorization: Bearer {key}",
                "--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "-n", str(a.examples), "--seed", str(a.seed), "--no-shrink",
                "--continue-on-failure", "--request-timeout", "20", "--warnings", "off", "--suppress-health-check", "all"]
        for path in LEFT_OUT:
            test += ["--exclude-path", path]
        if a.only:
            test += ["--include-path-regex", f"^{a.only}"]
        done = subprocess.run(test, cwd=data, env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}, timeout=SECONDS_MAX, text=True, capture_output=True)
        print(done.stdout[-60_000:])
        alive = server.process.poll() is None and server.get("/api/v1/me")[1].get("role") == "admin"
        failed = done.returncode != 0 or not alive
        print(f"api: {'FAILED' if failed else 'passed'}, {time.monotonic() - started:.0f} s, the server {'goes on' if alive else 'has ended'}")
        return 1 if failed else 0
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
