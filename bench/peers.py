"""SQLite, DuckDB, ClickHouse and PostgreSQL beside Docket: the same events, the same questions, in
one run.

All are optional. A peer that is not there is None with a word why; nothing of them is part of
the product. Each is configured as its own users would for these questions; `configuration` says
how. They are filled from Docket's CSV of everything, so that their rows are in Docket's order.
"""

import csv
import json
import os
import pathlib
import shutil
import subprocess
import time

import clickhouse
import postgres
import questions

try:
    import sqlite3
except ImportError:  # a Python without it asks DuckDB alone
    sqlite3 = None

BENCH = pathlib.Path(__file__).resolve().parent
DUCKDB_PACKAGE = "@duckdb/node-api@1.5.6-r.1"
RUN_SECONDS, RUNS_MIN, RUNS_MAX = 0.5, 5, 2000  # as query_latency has them


def timed(ask):
    """(median ms, p99 ms, answer) of a question that is asked as query_latency asks."""
    answer, runs, start = ask(), [], time.perf_counter()
    while len(runs) < RUNS_MIN or (
        len(runs) < RUNS_MAX and time.perf_counter() - start < RUN_SECONDS
    ):
        before = time.perf_counter()
        ask()
        runs.append((time.perf_counter() - before) * 1000)
    runs.sort()
    return runs[len(runs) // 2], runs[len(runs) * 99 // 100], answer


def bytes_beside(path):
    """Of a database's file and those that it keeps beside it."""
    return sum(p.stat().st_size for p in path.parent.glob(path.name + "*"))


class Sqlite:
    configuration = (
        "pages of 8 KiB, WAL, mmap of the whole file, ANALYZE after the load, an index for each "
        "question (covering where it counts: actor + verb + type + time, verb + type + time, verb "
        "+ time, time + verb, time + payload), a table of targets and related ones clustered by "
        "target; asked through Python's module, its CSV written by the sqlite3 shell where that "
        "is installed, else by Python's csv module"
    )
    # Of the pages that are asked for all day, some in SQLite's own cache; the rest is mapped.
    SETTINGS = ("PRAGMA mmap_size = 17179869184", "PRAGMA cache_size = -262144")
    INDEXES = (
        "CREATE INDEX by_ts ON event (ts, verb)",
        "CREATE INDEX by_actor ON event (actor, ts)",
        "CREATE INDEX by_actor_verb ON event (actor, verb, target_type, ts)",
        "CREATE INDEX by_verb_type ON event (verb, target_type, ts)",
        "CREATE INDEX by_verb ON event (verb, ts)",
        "CREATE INDEX by_payload ON event (ts, payload) WHERE payload IS NOT NULL",
    )
    words = {"PHRASE": f"e.payload IS NOT NULL AND e.payload LIKE '%{questions.PHRASE}%'",
             "HOUR": "e.ts / 3600000000", "TOUCHED": questions.TOUCHED}

    def __init__(self, directory):
        self.name = f"SQLite {sqlite3.sqlite_version}"
        self.path = pathlib.Path(directory) / "sqlite.db"
        self.shell = shutil.which("sqlite3")

    def _open(self):
        database = sqlite3.connect(self.path, isolation_level=None)
        for setting in self.SETTINGS:
            database.execute(setting)
        return database

    def load(self, csv_path):
        """Without a journal and nothing synced, what a load can do at best; then WAL."""
        database = self._open()
        for setting in ("page_size = 8192", "journal_mode = OFF", "synchronous = OFF",
                        "temp_store = MEMORY"):
            database.execute("PRAGMA " + setting)
        numbers = ("ts", "seq", "affected")
        columns = ", ".join(f"{c} {'INTEGER' if c in numbers else 'TEXT'}"
                            for c in questions.COLUMNS)
        database.execute(f"CREATE TABLE event ({columns})")
        database.execute("CREATE TABLE touched (target TEXT, ts INTEGER, event INTEGER, "
                         "PRIMARY KEY (target, ts, event)) WITHOUT ROWID")
        related = []

        def rows(reader):
            related_at = questions.FROM_CSV.index("related")
            for number, row in enumerate(reader, 1):
                row[0] = ts = questions.microseconds(row[0])
                if row[related_at]:
                    related.extend((f"{r['type']}:{r['id']}", ts, number)
                                   for r in json.loads(row[related_at]) if "id" in r)
                row = [value if value != "" else None for value in row]
                target = f"{row[8]}:{row[9]}" if row[9] else None
                yield (*row, f"{row[3]}:{row[4]}", target)

        with open(csv_path, newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            next(reader)
            database.execute("BEGIN")
            database.executemany(
                f"INSERT INTO event VALUES ({', '.join('?' * len(questions.COLUMNS))})",
                rows(reader))
        database.execute("CREATE TEMP TABLE related (target TEXT, ts INTEGER, event INTEGER)")
        database.executemany("INSERT INTO related VALUES (?, ?, ?)", related)
        # Sorted first: rows in the order of the key fill a tree from left to right.
        database.execute("INSERT OR IGNORE INTO touched SELECT target, ts, event FROM "
                         "(SELECT target, ts, rowid AS event FROM event WHERE target IS NOT NULL "
                         "UNION ALL SELECT * FROM related) ORDER BY target, ts, event")
        for index in self.INDEXES:
            database.execute(index)
        database.execute("ANALYZE")
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode = WAL")
        database.close()

    def ask(self, asked):
        """{name: (median ms, p99 ms, answer)}."""
        database = self._open()
        answers = {}
        for question in asked:
            sql = question.sql.format(**self.words)
            if question.kind == "export":
                out = self.path.with_suffix(".csv")
                median, p99, _ = timed(lambda sql=sql, out=out: self.export(sql, out))
                with open(out, newline="", encoding="utf-8") as file:
                    answer = questions.csv_ids(file)
                out.unlink()
            else:
                median, p99, rows = timed(lambda sql=sql: database.execute(sql).fetchall())
                answer = questions.peer_answer(question.kind, rows)
            answers[question.name] = median, p99, answer
        database.close()
        return answers

    def export(self, sql, out):
        """The rows of a question as CSV into a file."""
        with open(out, "w", newline="", encoding="utf-8") as file:
            if self.shell:
                quiet = ["-cmd", ".output /dev/null", "-cmd", self.SETTINGS[0],
                         "-cmd", ".output stdout"]
                subprocess.run([self.shell, "-readonly", "-csv", "-header", *quiet, self.path,
                                sql], stdout=file, check=True)
                return
            database = self._open()
            rows = database.execute(sql)
            writer = csv.writer(file)
            writer.writerow(column[0] for column in rows.description)
            writer.writerows(rows)
            database.close()

    def export_all(self, out):
        self.export(questions.oldest("true"), out)

    def disk_bytes(self):
        return bytes_beside(self.path)

    def remove(self):
        self.path.unlink()


class DuckDb:
    configuration = (
        "a file of its own, one thread a core, events in the order of time (so that its zone maps "
        "prune), an index on the actor, targets and related ones in a table with an index; "
        "asked through its Node.js client with prepared statements, its CSV written by COPY"
    )
    words = {"PHRASE": f"e.payload ILIKE '%{questions.PHRASE}%'",
             "HOUR": "e.ts // 3600000000", "TOUCHED": questions.TOUCHED}

    def __init__(self, directory, packages):
        self.packages = packages
        self.path = pathlib.Path(directory) / "duckdb.db"
        self.name = f"DuckDB {self._client(':memory:', [], [])['version']}"

    def _client(self, path, run, ask):
        request = json.dumps({"path": str(path), "run": run, "ask": ask})
        result = subprocess.run(
            ["node", BENCH / "duckdb_client.js"], input=request, capture_output=True, text=True,
            env={**os.environ, "NODE_PATH": str(self.packages / "node_modules")})
        if result.returncode != 0:
            raise RuntimeError(f"DuckDB: {result.stderr[-1000:]}")
        return json.loads(result.stdout)

    def load(self, csv_path):
        numbers = ("seq", "affected")
        types = ", ".join(f"'{c}': '{'BIGINT' if c in numbers else 'VARCHAR'}'"
                          for c in questions.FROM_CSV)
        rest = ", ".join(questions.FROM_CSV[1:])
        self._client(self.path, [
            f"""CREATE TABLE event AS
                SELECT epoch_us(ts::TIMESTAMPTZ) AS ts, {rest}, actor_kind || ':' || actor_id
                       AS actor, target_type || ':' || target_id AS target
                FROM read_csv({questions.text(str(csv_path))}, header = true, quote = '"',
                     escape = '"', delim = ',', columns = {{{types}}}, auto_detect = false)""",
            """CREATE TABLE touched AS
               SELECT target, ts, event FROM (
                 SELECT target, ts, rowid AS event FROM event WHERE target IS NOT NULL
                 UNION
                 SELECT r.type || ':' || r.id, ts, event FROM (
                   SELECT unnest(from_json(related, '[{"type": "VARCHAR", "id": "VARCHAR"}]')) AS r,
                          ts, rowid AS event FROM event WHERE related IS NOT NULL)
                 WHERE r.id IS NOT NULL)""",
            "CREATE INDEX by_actor ON event (actor)",
            "CREATE INDEX by_target ON touched (target)",
            "CHECKPOINT",
        ], [])

    def ask(self, asked):
        """{name: (median ms, p99 ms, answer)}."""
        out = self.path.with_suffix(".csv")
        statements = []
        for question in asked:
            sql = question.sql.format(**self.words)
            if question.kind == "export":
                sql = self._copy(sql, out)
            statements.append({"name": question.name, "sql": sql})
        result = self._client(self.path, [], statements)["answers"]
        answers = {}
        for question in asked:
            given = result[question.name]
            if question.kind == "export":
                with open(out, newline="", encoding="utf-8") as file:
                    answer = questions.csv_ids(file)
                out.unlink()
            else:
                answer = questions.peer_answer(question.kind, given["rows"])
            answers[question.name] = given["median"], given["p99"], answer
        return answers

    @staticmethod
    def _copy(sql, out):
        return f"COPY ({sql}) TO {questions.text(str(out))} (FORMAT csv, HEADER)"

    def export_all(self, out):
        self._client(self.path, [self._copy(questions.oldest("true"), out)], [])

    def disk_bytes(self):
        return bytes_beside(self.path)

    def remove(self):
        self.path.unlink()


def npm_package(directory, package):
    """The folder that has it, fetched from npm at the first run."""
    name = package[: package.rindex("@")]
    if not (directory / "node_modules" / name / "package.json").is_file():
        directory.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", directory,
                        package], check=True, capture_output=True, timeout=600)
    return directory


NAMES = ("sqlite", "duckdb", "clickhouse", "postgresql")


def available(directory, packages, wanted=NAMES):
    """Those of the peers wanted that are here, and a word for each that is not."""
    peers, words = [], []
    if "sqlite" not in wanted:
        pass
    elif sqlite3 is None:
        words.append("SQLite skipped: this Python has no sqlite3 module")
    else:
        peers.append(Sqlite(directory))
    for name, peer, package in (("DuckDB", DuckDb, DUCKDB_PACKAGE),
                                ("ClickHouse", clickhouse.ClickHouse, clickhouse.PACKAGE)):
        if name.lower() not in wanted:
            continue
        if shutil.which("node") is None or shutil.which("npm") is None:
            words.append(f"{name} skipped: node and npm are not installed")
            continue
        try:
            peers.append(peer(directory, npm_package(packages.resolve(), package)))
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            words.append(f"{name} skipped: {error}")
    if "postgresql" not in wanted:
        return peers, words
    programs = postgres.program_folder()
    if programs is None:
        words.append("PostgreSQL skipped: Debian's package postgresql is not installed")
    else:
        try:
            peers.append(postgres.Postgres(directory, programs))
        except (OSError, RuntimeError) as error:
            words.append(f"PostgreSQL skipped: {error}")
    return peers, words
