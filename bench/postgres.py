"""PostgreSQL beside Docket: a cluster of its own, asked through psql on its socket.

Optional, as the other peers of bench/peers.py, and of Debian's package where it is installed.
"""

import csv
import io
import os
import pathlib
import re
import shutil
import subprocess

import questions

RUNS_MIN, RUNS_MAX = 5, 2000
VERSIONS = pathlib.Path("/usr/lib/postgresql")


def program_folder():
    """Of the newest version that is installed; None where there is none."""
    found = [path for path in VERSIONS.glob("*/bin") if (path / "initdb").is_file()]
    return max(found, key=lambda path: int(path.parent.name), default=None)


class Postgres:
    configuration = (
        "shared_buffers of 2 GB, work_mem of 64 MB, random_page_cost 1.1, wal_level minimal and "
        "synchronous_commit off for the load, no JIT, a worker a core; VACUUM ANALYZE after the "
        "load, an index for each question (actor + time, actor + verb + type + time, verb + type + "
        "time, verb + time, time with the verb in it, trigrams of the payload by pg_trgm), a table "
        "of targets and related ones with its key in that order; prepared statements, timed by "
        "psql's \\timing on a Unix socket, its CSV written by COPY"
    )
    SETTINGS = {
        "shared_buffers": "2GB", "work_mem": "64MB", "maintenance_work_mem": "512MB",
        "random_page_cost": "1.1", "wal_level": "minimal", "max_wal_senders": "0",
        "synchronous_commit": "off", "jit": "off", "max_wal_size": "8GB",
        "max_parallel_workers_per_gather": str(os.cpu_count()), "listen_addresses": "",
    }
    INDEXES = (
        "ALTER TABLE event ADD PRIMARY KEY (rowid)",
        "CREATE INDEX by_ts ON event (ts, rowid) INCLUDE (verb)",
        "CREATE INDEX by_actor ON event (actor, ts, rowid)",
        "CREATE INDEX by_actor_verb ON event (actor, verb, target_type, ts)",
        "CREATE INDEX by_verb_type ON event (verb, target_type, ts, rowid)",
        "CREATE INDEX by_verb ON event (verb, ts, rowid)",
        "CREATE INDEX by_payload ON event USING gin (payload gin_trgm_ops)",
    )
    words = {"PHRASE": f"e.payload ILIKE '%{questions.PHRASE}%'", "HOUR": "e.ts / 3600000000",
             "TOUCHED": questions.TOUCHED}

    def __init__(self, directory, programs, seconds=0.5):
        self.programs, self.seconds = programs, seconds
        self.path = pathlib.Path(directory).resolve() / "postgres"
        self.path.mkdir()
        # The server refuses to run as root: it gets a folder that it may reach.
        self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        if os.geteuid() == 0:
            shutil.chown(self.path, "postgres", "postgres")
            self.path.parent.chmod(0o711)
        else:
            self.user = []
        self._server("initdb", "-D", self.path / "data", "-U", "postgres", "-A", "trust", "-E",
                     "UTF8", "--locale=C")
        settings = "".join(f"{name} = '{value}'\n" for name, value in self.SETTINGS.items())
        with open(self.path / "data/postgresql.conf", "a", encoding="utf-8") as file:
            file.write(settings + f"unix_socket_directories = '{self.path}'\n")
        self._server("pg_ctl", "-D", self.path / "data", "-w", "-l", self.path / "log", "start")
        try:
            version = self._psql("SHOW server_version").split()[0]
            self._psql("CREATE EXTENSION pg_trgm")
        except BaseException:
            self.remove()
            raise
        self.name = f"PostgreSQL {version}"

    def _server(self, program, *arguments):
        result = subprocess.run([*self.user, self.programs / program, *arguments], text=True,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.path)
        if result.returncode != 0:
            raise RuntimeError(f"{program}: {result.stderr[-1000:]}")

    def _psql(self, script):
        """What psql prints of a script of statements and its own commands."""
        result = subprocess.run(
            [self.programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
             self.path, "-U", "postgres", "-d", "postgres", "-f", "-"],
            input=script, capture_output=True, text=True)
        if result.returncode != 0:
            raise RuntimeError(f"psql: {result.stderr[-1000:]}")
        return result.stdout

    def load(self, csv_path):
        """In the order of the CSV, which numbers the rows."""
        columns = ", ".join(f"{c} text" for c in questions.FROM_CSV)
        kept = ", ".join(c for c in questions.FROM_CSV if c not in ("ts", "seq", "affected"))
        self._psql(f"""
            CREATE UNLOGGED TABLE staging (rowid bigserial, {columns});
            \\copy staging ({', '.join(questions.FROM_CSV)}) FROM '{csv_path}' CSV HEADER
            CREATE TABLE event AS
              SELECT rowid, (extract(epoch FROM ts::timestamptz) * 1000000)::bigint AS ts,
                     seq::bigint, affected::bigint, {kept}, actor_kind || ':' || actor_id AS actor,
                     target_type || ':' || target_id AS target
              FROM staging ORDER BY rowid;
            DROP TABLE staging;
            CREATE TABLE touched AS
              SELECT target, ts, rowid AS event FROM event WHERE target IS NOT NULL
              UNION
              SELECT r->>'type' || ':' || (r->>'id'), ts, rowid
              FROM event, json_array_elements(related::json) r
              WHERE related IS NOT NULL AND r->>'id' IS NOT NULL
              ORDER BY 1, 2, 3;
            ALTER TABLE touched ADD PRIMARY KEY (target, ts, event);
            {'; '.join(self.INDEXES)};
            VACUUM ANALYZE;
            CHECKPOINT;
        """)

    def _times(self, statement, head, runs):
        """Milliseconds of each of so many runs behind one that is not counted."""
        script = head + "\\timing on\n\\o /dev/null\n" + (statement + "\n") * (runs + 1)
        times = re.findall(r"^Time: ([0-9.]+) ms", self._psql(script), re.M)
        return sorted(float(ms) for ms in times[1:])

    def _measure(self, statement, head=""):
        """(median ms, p99 ms): for half a second, at least five times."""
        times = self._times(statement, head, RUNS_MIN)
        wanted = int(self.seconds * 1000 / max(times[len(times) // 2], 0.01))
        if wanted > RUNS_MIN:
            times = self._times(statement, head, min(wanted, RUNS_MAX))
        return times[len(times) // 2], times[len(times) * 99 // 100]

    def ask(self, asked):
        """{name: (median ms, p99 ms, answer)}."""
        answers = {}
        for question in asked:
            sql = question.sql.format(**self.words)
            if question.kind == "export":
                out = self.path.parent / "postgres.csv"
                median, p99 = self._measure(self._copy(sql, out))
                with open(out, newline="", encoding="utf-8") as file:
                    answer = questions.csv_ids(file)
                out.unlink()
            else:
                median, p99 = self._measure("EXECUTE asked;", f"PREPARE asked AS {sql};\n")
                rows = csv.reader(io.StringIO(self._psql(f"COPY ({sql}) TO STDOUT (FORMAT csv)")))
                answer = questions.peer_answer(question.kind, list(rows))
            answers[question.name] = median, p99, answer
        return answers

    @staticmethod
    def _copy(sql, out):
        return f"\\copy ({sql}) TO '{out}' CSV HEADER"

    def export_all(self, out):
        self._psql(self._copy(questions.oldest("true"), out))

    def disk_bytes(self):
        """Of the tables and their indexes; what a cluster has anyway is not counted."""
        return int(self._psql("SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
                              "WHERE relname IN ('event', 'touched')"))

    def remove(self):
        self._server("pg_ctl", "-D", self.path / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.path)
