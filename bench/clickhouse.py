"""ClickHouse beside Docket: today's engine within a process of Node.js, as npm has it (chdb).

Optional, as the other peers of bench/peers.py. What Debian 12 packages is version 18.16, of 2018.
"""

import json
import os
import pathlib
import shutil
import subprocess

import questions

BENCH = pathlib.Path(__file__).resolve().parent
PACKAGE = "chdb@3.4.0"


class ClickHouse:
    configuration = (
        "in the process that asks, a thread a core; a MergeTree in the order of time, merged into "
        "one part, low-cardinality columns as such, zstd for all, projections in the order of "
        "actor and of verb and type for what is asked by them, bloom filters of the payload's "
        "trigrams, targets and related ones in a table ordered by target; asked through chdb with "
        "SQL text, its CSV written by INTO OUTFILE"
    )
    words = {
        "PHRASE": f"lower(e.payload) LIKE '%{questions.PHRASE}%'",
        "HOUR": "intDiv(e.ts, 3600000000)",
        # With the time, which is what its rows are ordered by.
        "TOUCHED": "touched t JOIN event e ON e.ts = t.ts AND e.rowid = t.event",
    }
    LOW = ("log", "actor_kind", "actor_role", "verb", "target_type", "outcome", "reason")

    def __init__(self, directory, packages):
        self.packages = packages
        self.path = pathlib.Path(directory).resolve() / "clickhouse"
        self.name = f"ClickHouse {self._client([], [])['version']}"

    def _client(self, run, ask):
        request = json.dumps({"path": str(self.path), "run": run, "ask": ask})
        result = subprocess.run(
            ["node", BENCH / "clickhouse_client.js"], input=request, capture_output=True,
            text=True, env={**os.environ, "NODE_PATH": str(self.packages / "node_modules")})
        if result.returncode != 0:
            raise RuntimeError(f"ClickHouse: {result.stderr[-1000:]}")
        return json.loads(result.stdout)

    def _type(self, column):
        if column in ("ts", "seq", "affected"):
            return "Int64"
        return "LowCardinality(String)" if column in self.LOW else "String"

    def load(self, csv_path):
        """In the order of the CSV, which numbers the rows."""
        columns = ", ".join(f"{c} {self._type(c)} CODEC({'Delta, ' if c == 'ts' else ''}ZSTD(1))"
                            for c in questions.COLUMNS)
        rest = ", ".join(c for c in questions.FROM_CSV if c != "ts")
        given = ", ".join(f"{c} {'Int64' if c in ('seq', 'affected') else 'String'}"
                          for c in questions.FROM_CSV)
        self._client([
            f"""CREATE TABLE event (rowid UInt64 CODEC(Delta, ZSTD(1)), {columns},
                INDEX by_payload lower(payload) TYPE ngrambf_v1(3, 65536, 2, 0) GRANULARITY 1,
                PROJECTION by_actor (SELECT ts, rowid, actor, verb, target_type
                                     ORDER BY actor, ts),
                PROJECTION by_verb (SELECT ts, rowid, verb, target_type
                                    ORDER BY verb, target_type, ts))
                ENGINE = MergeTree ORDER BY (ts, rowid)
                SETTINGS index_granularity = 1024""",
            f"""INSERT INTO event
                SELECT rowNumberInAllBlocks() + 1,
                       toUnixTimestamp64Micro(parseDateTime64BestEffort(ts, 6, 'UTC')), {rest},
                       actor_kind || ':' || actor_id,
                       if(target_id = '', '', target_type || ':' || target_id)
                FROM file({questions.text(str(csv_path))}, CSV, {questions.text(given)})
                SETTINGS max_threads = 1, max_insert_threads = 1, input_format_csv_skip_first_lines
                       = 1, input_format_parallel_parsing = 0""",
            """CREATE TABLE touched (target String, ts Int64, event UInt64)
               ENGINE = MergeTree ORDER BY (target, ts, event)""",
            """INSERT INTO touched
               SELECT target, ts, rowid FROM event WHERE target != ''
               UNION DISTINCT
               SELECT r.1 || ':' || r.2, ts, rowid FROM event
               ARRAY JOIN JSONExtract(related, 'Array(Tuple(type String, id String))') AS r
               WHERE related != '' AND r.2 != ''""",
            "OPTIMIZE TABLE event FINAL",
            "OPTIMIZE TABLE touched FINAL",
        ], [])

    def ask(self, asked):
        """{name: (median ms, p99 ms, answer)}."""
        out = self.path.parent / "clickhouse.csv"
        statements = []
        for question in asked:
            sql = question.sql.format(**self.words)
            if question.kind == "export":
                sql = self._into(sql, out)
            statements.append({"name": question.name, "sql": sql})
        result = self._client([], statements)["answers"]
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
    def _into(sql, out):
        return f"{sql} INTO OUTFILE {questions.text(str(out))} TRUNCATE FORMAT CSVWithNames"

    def export_all(self, out):
        self._client([self._into(questions.oldest("true"), out)], [])

    def disk_bytes(self):
        """Of the active parts of both tables, with their projections and indexes."""
        (row,) = self._client([], [{"name": "bytes", "sql": "SELECT sum(bytes_on_disk) FROM "
                                    "system.parts WHERE active AND table IN ('event', 'touched')"}]
                              )["answers"]["bytes"]["rows"]
        return int(row[0])

    def remove(self):
        shutil.rmtree(self.path)
