#!/usr/bin/env python3
"""Parquet in and out, read and written by pyarrow and DuckDB, which share no code with Faden.

    parquet.py --faden target/release/faden

What is exported has types and row counts that both see; imported into a fresh server it makes the same profiles.
Files of both, with nested columns, decimals, every kind of time, nulls and dictionaries, are imported exactly; a bad
row is refused by its number; the same file again changes nothing.
"""
import argparse, datetime, decimal, json, os, random, shutil, subprocess, tempfile, uuid
from pathlib import Path
import duckdb, pyarrow as pa, pyarrow.parquet as pq
from common import SOURCE, Server, Sink, call, check, webhook, workspace

UTC = datetime.timezone.utc


class Program:
    """The program beside a server of its own."""

    def __init__(self, faden, name, directory, hook):
        (directory / name).mkdir()
        self.faden, self.server = faden, Server(faden, name, directory / name / "data", workspace(directory / name, hook, wait=1)).start()
        self.server.wait(lambda said: said.get("ready"))
        self.environment = {**os.environ, "FADEN_KEY": self.server.greeting()["admin_key"], "FADEN_URL": f"http://127.0.0.1:{self.server.port}"}

    def run(self, *arguments, code=0):
        done = subprocess.run([self.faden, *map(str, arguments)], env=self.environment, capture_output=True, text=True, timeout=60)
        check(done.returncode == code, f"faden {arguments[0]} ended with {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout if code == 0 or not done.stderr else done.stderr

    def imported(self, *arguments, code=0):
        return json.loads(self.run("import", *arguments, "--json", code=code))

    def lines(self, what):
        return [json.loads(line, parse_float=decimal.Decimal) for line in self.run("export", what).splitlines()]

    def events(self):
        """What came in, repeats once."""
        return list({line.get("messageId", line.get("id")): line for line in self.lines("events")}.values())

    def profiles(self):
        """What is known of everybody, without the times of this server's own clock."""
        found = []
        for line in self.lines("profiles"):
            for strand in line["profile"]["strands"]:
                identifiers = [(one["kind"], one["value"]) for one in strand["identifiers"]]
                entered = [one["slot"] for one in strand["entered"]]
                found.append((line["id"], strand["origin"], identifiers, strand["traits"], strand["consents"], entered))
        return sorted(found, key=lambda one: one[:2])


def calls():
    """Calls of every kind, and a CloudEvent; instants are given, so that another server sees the same past."""
    at = iter(f"2026-03-01T{hour:02}:{minute:02}:30.250Z" for hour in range(24) for minute in range(60))
    lines = []
    for number in range(40):
        who = {"userId": f"p{number}"}
        consent = {"consent": {"categoryPreferences": {"marketing": number % 4 != 0}}}
        traits = {"email": f"p{number}@example.com", "tier": "gold" if number % 3 else None, "score": 0.1 * number}
        lines.append({"type": "identify", **who, "anonymousId": f"a{number}", "traits": traits, "context": consent})
        lines.append({"type": "track", **who, "event": "Cart Updated", "properties": {"cart_id": "c", "value": 50.25, "tags": ["a", {"b": None}]}})
    lines.append({"type": "alias", "userId": "p1", "previousId": "a-old"})
    lines.append({"type": "group", "userId": "p1", "groupId": "club", "traits": {"size": 3}})
    lines.append({"type": "page", "anonymousId": "a2", "name": "Home"})
    lines.append({"type": "track", "event": "Seen", "context": {"externalIds": [{"type": "crm_id", "id": "c-7"}]}})
    for number, line in enumerate(lines):
        line.update(messageId=f"m{number}", timestamp=next(at))
    lines.append({"specversion": "1.0", "id": "x1", "source": "shop", "type": "Shop Opened", "time": next(at), "data": {"city": "Wien"}})
    return lines


def out_and_in(first, second, directory):
    """Exports are what both programs read; events imported elsewhere make the same customers."""
    types = {
        "events": {"timestamp": "TIMESTAMP WITH TIME ZONE", "receivedAt": "TIMESTAMP WITH TIME ZONE", "properties": "JSON", "userId": "VARCHAR"},
        "messages": {"at": "TIMESTAMP WITH TIME ZONE", "history": "JSON", "state": "VARCHAR"},
        "decisions": {"at": "TIMESTAMP WITH TIME ZONE", "checks": "JSON", "granted": "BOOLEAN", "merge": "BIGINT"},
        "profiles": {"created_at": "TIMESTAMP WITH TIME ZONE", "traits": "JSON", "email": "VARCHAR"},
    }
    for what, wanted in types.items():
        path = directory / f"{what}.parquet"
        first.run("export", what, "--out", path)
        lines, table = first.lines(what), pq.read_table(path)
        check(table.num_rows == len(lines) > 0, f"pyarrow reads {table.num_rows} {what} of {len(lines)}")
        check(all(value is None for value in table["other"].to_pylist()), f"{what}: a member without a column: {set(table['other'].to_pylist())}")
        described = {name: kind for name, kind, *_ in duckdb.sql(f"DESCRIBE FROM '{path}'").fetchall()}
        check(wanted.items() <= described.items(), f"DuckDB sees {described}")
        if what != "profiles":
            for line, row in zip(lines, table.to_pylist()):
                check(line == again(row), f"{what}: {line} became {again(row)}")
    path = directory / "events.parquet"
    packed = {pq.ParquetFile(path).metadata.row_group(0).column(0).compression}
    value = duckdb.sql(f"SELECT count(*), sum((properties->>'value')::DECIMAL(9, 2)) FROM '{path}' WHERE event = 'Cart Updated'").fetchall()
    check(packed == {"ZSTD"} and value == [(40, decimal.Decimal("2010.00"))], f"{packed}, DuckDB adds up {value}")
    known = duckdb.sql(f"SELECT traits->>'email', user_id FROM '{directory / 'profiles.parquet'}' WHERE email = 'p7@example.com'").fetchall()
    check(known == [("p7@example.com", "p7")], f"DuckDB finds {known}")

    for _ in range(2):
        told = second.imported(path, "--source", "again")
        check(told["refused"] == 0 and told["sent"] == len(first.lines("events")), f"imported: {told}")
        check(second.profiles() == first.profiles(), "the profiles differ after export and import")
    with open(path, "rb") as file:
        piped = subprocess.run([first.faden, "export", "events", "--format", "parquet"], env=first.environment, capture_output=True, timeout=60)
        check(piped.returncode == 0 and piped.stdout == file.read(), "standard output is not the file")


def again(row):
    """A row as the line that it came from."""
    texts = {"properties", "traits", "context", "data", "history", "checks", "facts", "value"}
    line = {}
    for name, value in row.items():
        if isinstance(value, datetime.datetime):
            line[name] = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") + (f".{value.microsecond // 1000:03}Z" if value.microsecond else "Z")
        elif value is not None:
            line[name] = json.loads(value, parse_float=decimal.Decimal) if name in texts else value
    return line


def foreign():
    """Columns as other programs write them, and the properties that they have to become."""
    at = datetime.datetime(2026, 3, 1, 10, 0, 0, 123456)
    columns = {
        "user_id": (pa.array([7, 8, None], pa.int64()), [None, None, None]),
        "ordered_at": (pa.array([at, at, at], pa.timestamp("us", "Europe/Berlin")), [None] * 3),
        "total": (pa.array([decimal.Decimal("12.30"), decimal.Decimal("-0.05"), None], pa.decimal128(38, 2)), [decimal.Decimal("12.30"), decimal.Decimal("-0.05"), None]),
        "small": (pa.array([decimal.Decimal("1.5"), None, None], pa.decimal128(5, 1)), [decimal.Decimal("1.5"), None, None]),
        "exact": (pa.array([decimal.Decimal("123456789012345678.1234567891"), None, None], pa.decimal128(38, 10)), [decimal.Decimal("123456789012345678.1234567891"), None, None]),
        "nanos": (pa.array([1772359200123456789] * 3, pa.int64()).cast(pa.timestamp("ns", "UTC")), ["2026-03-01T10:00:00.123456789Z"] * 3),
        "naive": (pa.array([at] * 3, pa.timestamp("ms")), ["2026-03-01T10:00:00.123Z"] * 3),
        "day": (pa.array([at.date()] * 3, pa.date32()), ["2026-03-01"] * 3),
        "time": (pa.array([at.time()] * 3, pa.time64("us")), ["10:00:00.123456"] * 3),
        "word": (pa.array(["a", "b\"ä", "a"]).dictionary_encode(), ["a", "b\"ä", "a"]),
        "paid": (pa.array([True, False, None]), [True, False, None]),
        "big": (pa.array([2**64 - 1, 0, None], pa.uint64()), [2**64 - 1, 0, None]),
        "tiny": (pa.array([-1, 2, None], pa.int8()), [-1, 2, None]),
        "ratio": (pa.array([0.1, float("nan"), None], pa.float32()), [decimal.Decimal("0.1"), None, None]),
        "blob": (pa.array([b"\xff\x00", b"text", None], pa.binary()), ["/wA=", "text", None]),
        "key": (pa.array([uuid.UUID(int=1).bytes, None, None], pa.uuid()), [str(uuid.UUID(int=1)), None, None]),
        "lines": (pa.array([[{"sku": "x", "n": 1, "tags": ["a", None]}, {"sku": None, "n": None, "tags": []}], [], None]), [[{"sku": "x", "n": 1, "tags": ["a", None]}, {"tags": []}], [], None]),
        "place": (pa.array([{"city": "Wien", "at": {"lat": 48.2}}, {"city": None, "at": None}, None]), [{"city": "Wien", "at": {"lat": decimal.Decimal("48.2")}}, {}, None]),
        "map": (pa.array([[("a", 1), ("b", None)], [], None], pa.map_(pa.string(), pa.int32())), [{"a": 1, "b": None}, {}, None]),
        "none": (pa.nulls(3), [None] * 3),
    }
    table = pa.table({name: values for name, (values, _) in columns.items()})
    rows = [{name: wanted[row] for name, (_, wanted) in columns.items() if wanted[row] is not None} for row in range(3)]
    return table, rows


def others(program, directory):
    """Tables of pyarrow in every packing, and one of DuckDB, become events with exact properties."""
    table, rows = foreign()
    shapes = [{"compression": "snappy"}, {"compression": "gzip", "data_page_version": "2.0"}, {"compression": "zstd", "row_group_size": 1}, {"compression": "none", "use_dictionary": False}]
    for number, shape in enumerate(shapes):
        path, event = directory / f"foreign-{number}.parquet", f"Ordered {number}"
        pq.write_table(table, path, **shape)
        arguments = (path, "--source", "lake", "--event", event, "--timestamp", "ordered_at")
        # The third row is about nobody.
        for _ in range(2):
            told = program.imported(*arguments, code=1)
            check((told["accepted"], told["refused"], told["refusals"][0]["number"]) == (2, 1, 3), f"imported: {told}")
        found = [line for line in program.events() if line.get("event") == event]
        check([line["properties"] for line in found] == rows[:2], f"{shape}: {found} instead of {rows[:2]}")
        check([(line["userId"], line["timestamp"]) for line in found] == [("7", "2026-03-01T10:00:00.123Z"), ("8", "2026-03-01T10:00:00.123Z")], f"{found}")

    path = directory / "duck.parquet"
    duckdb.sql(f"""COPY (SELECT 'd' || i AS user_id, {{'a': i, 'b': [i, NULL]}} AS nested, (i || '.10')::DECIMAL(18, 2) AS total,
        '{{"x": 1.50}}'::JSON AS doc, TIMESTAMP '2026-03-01 10:00:00' AS timestamp FROM range(3000) t(i)) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)""")
    told = program.imported(path, "--source", "duck", "--event", "Counted")
    found = [line for line in program.lines("events") if line.get("event") == "Counted"]
    wanted = [{"nested": {"a": i, "b": [i, None]}, "total": decimal.Decimal(f"{i}.10"), "doc": {"x": decimal.Decimal("1.50")}} for i in range(3000)]
    check(told["accepted"] == 3000 and [line["properties"] for line in found] == wanted, f"DuckDB's rows: {told}, {found[:2]}")
    check({line["timestamp"] for line in found} == {"2026-03-01T10:00:00Z"}, "DuckDB's instants")

    old = directory / "old.parquet"
    at = datetime.datetime(2026, 3, 1, 10, 0, 0, 123456)
    frame = pa.table({"user_id": pa.array([7.0, None], pa.float64()), "anonymous_id": [None, "a"], "seen": pa.array([at, at], pa.timestamp("us")), "dead": [[1], [2]]})
    pq.write_table(frame, old, use_deprecated_int96_timestamps=True, use_compliant_nested_type=False)
    check(program.imported(old, "--source", "old")["accepted"] == 2, "the old shapes are not taken")
    found = [line for line in program.lines("events") if line.get("traits", {}).get("dead")]
    check([line["traits"] for line in found] == [{"seen": "2026-03-01T10:00:00.123456Z", "dead": [number]} for number in (1, 2)], f"{found}")
    check(found[0]["userId"] == "7", f"{found[0]}")


def bad(program, directory):
    """Bad rows are refused by their number, the rest is taken; a file that cannot be one is told at once."""
    path = directory / "bad.parquet"
    words = pa.array([b"good", b"\xff", b"fine"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"user_id": ["b1", "b2", "b3"], "word": words}), path)
    told = program.imported(path, "--source", "bad", code=1)
    wanted = {"file": str(path), "number": 2, "reason": "column `word` holds no UTF-8"}
    check((told["accepted"], told["refusals"]) == (2, [wanted]), f"imported: {told}")
    letters = program.server.get("/api/v1/dead_letters")[1]["items"]
    check(any("bad.parquet:2: column `word` holds no UTF-8" in json.dumps(letter) for letter in letters), "the bad row is no dead letter")
    pq.write_table(pa.table({"who": ["x"]}), directory / "nobody.parquet")
    pq.write_table(pa.table({"user_id": ["x"], "half": pa.array([1.5], pa.float16())}), directory / "half.parquet")
    pq.write_table(pa.table({"user_id": ["x"]}), directory / "brotli.parquet", compression="brotli")
    (directory / "cut.parquet").write_bytes(path.read_bytes()[:-20])
    (directory / "text.parquet").write_text("user_id\nx\n")
    for name, part in {"nobody": "`user_id`", "half": "`half`", "brotli": "BROTLI", "cut": "as Parquet", "text": "not Parquet"}.items():
        told = program.run("import", directory / f"{name}.parquet", "--source", "bad", code=1)
        check(part in told and "panicked" not in told, f"{name}: {told}")
    damaged(program, directory)


def damaged(program, directory):
    """A file with a broken byte is refused or read, and nothing worse."""
    table, _ = foreign()
    pq.write_table(table, directory / "whole.parquet", compression="none")
    whole, dice, broken = (directory / "whole.parquet").read_bytes(), random.Random(7), directory / "broken.parquet"
    for _ in range(40):
        mutant = bytearray(whole)
        mutant[dice.randrange(4, len(mutant) - 8)] ^= 1 << dice.randrange(8)
        broken.write_bytes(mutant)
        done = subprocess.run([program.faden, "import", broken, "--source", "broken"], env=program.environment, capture_output=True, text=True, timeout=20)
        check(done.returncode in (0, 1) and "panicked" not in done.stderr, f"a broken byte: {done.returncode} {done.stderr}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--faden", required=True)
    a = p.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="faden-parquet-"))
    sink = Sink(directory / "delivered.ndjson")
    hook = webhook(sink)
    first, second = Program(a.faden, "parquet-out", directory, hook), Program(a.faden, "parquet-in", directory, hook)
    status, answer = call(first.server.port, "/v1/batch", json.dumps({"batch": calls()}).encode(), SOURCE)
    check(status == 200, f"the batch was not taken: {status} {answer[:200]}")
    sink.drain(30, 2, 30)
    out_and_in(first, second, directory)
    others(second, directory)
    bad(second, directory)
    for program in (first, second):
        check(program.server.stop() == 0, "a server did not end well")
    print(f"parquet: passed: pyarrow {pa.__version__} and DuckDB {duckdb.__version__} read 4 exports; their own files are imported exactly")
    shutil.rmtree(directory)


main()
