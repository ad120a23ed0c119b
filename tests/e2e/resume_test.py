"""Scheduled exports that go on where the last one stopped, killed at every stage."""

import contextlib
import json
import random
import subprocess
import sys
import time
import unittest

import driver
from driver import event


class Resume(driver.EndToEnd):
    """Scheduled exports: each event in one of the complete files, whatever happens to the runs."""

    def run_once(self, server, source, *more, kill_when=None):
        """One run; its exit code, None where it was killed because `kill_when()` held."""
        where = ("--data", server.data) if source == "data" else ("--server", server.url)
        running = subprocess.Popen(
            [driver.BIN / "docket", "export", "--utc", *where, "-o", "ndjson", "--out",
             self.directory / "out.ndjson", "--resume", self.directory / "cursor", *more],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while kill_when is not None and running.poll() is None:
            if kill_when():
                running.kill()
                code = running.wait()
                running.stderr.close()
                return (None, "") if code < 0 else (code, "")
        _, stderr = running.communicate(timeout=driver.ANSWER_SECONDS)
        return running.returncode, stderr.decode()

    def take(self, files):
        """What is complete, and gone from the directory afterwards."""
        for path in sorted(self.directory.glob("out.*.ndjson")):
            files.append(path.read_text())
            path.unlink()

    def moment(self, random_, usual, number):
        """(what, condition): when to kill the next run."""
        def is_promised():
            with contextlib.suppress(FileNotFoundError):
                return '"promised"' in (self.directory / "cursor").read_text()
            return False

        def after(seconds):
            end = time.monotonic() + seconds
            return lambda: time.monotonic() >= end

        number = f"{number:06}"
        return random_.choice([
            ("at random", after(random_.random() * usual * 1.5)),
            ("at random", after(random_.random() * usual * 1.5)),
            ("part", (self.directory / f"out.{number}.ndjson.part").exists),
            ("promised", is_promised),
            ("named", (self.directory / f"out.{number}.ndjson").exists),
        ])

    def test_killed_at_any_instant_nothing_is_missing_or_twice(self):
        server = self.start(config=driver.SMALL_SEGMENTS)
        random_ = random.Random(20261126)
        sent, completed, files, killed = 0, 0, [], {}
        usual, rounds = 0.05, 120
        for i in range(rounds):
            # Some of them late: with times before all that was exported.
            server.send_ndjson([event(target=("List", str(sent + n)),
                                      log=random_.choice(["activity", "api", f"new{i % 9}"]),
                                      ts=f"2026-05-01T{random_.randrange(24):02}:00:00Z",
                                      payload={"x": "y" * random_.randrange(3000)})
                                for n in range(200)])
            sent += 200
            source = random_.choice(["data", "server"])
            if random_.random() < 0.2:  # and how long a run takes now
                started = time.monotonic()
                code, stderr = self.run_once(server, source)
                usual = time.monotonic() - started
                self.assertEqual(code, 0, stderr)
                completed += "cut off" in stderr
            else:
                cursor = self.directory / "cursor"
                number = json.loads(cursor.read_text())["files"] + 1 if cursor.exists() else 1
                stage, kill_when = self.moment(random_, usual, number)
                code, stderr = self.run_once(server, source, kill_when=kill_when)
                if code is None:
                    killed[stage] = killed.get(stage, 0) + 1
            if random_.random() < 0.5:
                self.take(files)
        for source in ("server", "data"):
            code, stderr = self.run_once(server, source)
            self.assertEqual(code, 0, stderr)
        self.assertIn("rows 0", stderr)
        self.take(files)
        names = [(e["log"], e["seq"]) for text in files for e in map(json.loads, text.splitlines())]
        self.assertEqual(len(names), len(set(names)), "an event is in two files")
        self.assertEqual(len(names), sent)
        self.assertEqual(sorted(e["target"]["id"] for text in files
                                for e in map(json.loads, text.splitlines())),
                         sorted(map(str, range(sent))))
        self.assertEqual(list(self.directory.glob("out.*")), [])
        print(f"resume: of {rounds} runs killed {killed}; {completed} whole ones found a promise",
              file=sys.stderr)
        self.assertGreater(sum(killed.values()), 50)
        self.assertGreater(completed, 0)

    def test_a_cursor_goes_with_its_question_and_its_store(self):
        server = self.start()
        server.send_ndjson([event(), event("DELETE")])
        self.assertEqual(self.run_once(server, "server")[0], 0)
        code, stderr = self.run_once(server, "server", "verb:DELETE")
        self.assertEqual((code, "another query" in stderr), (2, True), stderr)
        other = self.start("other")
        other.send_ndjson([event()])
        code, stderr = self.run_once(other, "server")
        self.assertEqual((code, "another store" in stderr), (2, True), stderr)
        code, stderr = self.run_once(other, "data")
        self.assertEqual((code, "another store" in stderr), (2, True), stderr)

    def test_what_is_missing_is_left_behind_or_asked_for_again(self):
        server = self.start(config="[segment]\nrows = 100\n")
        for _ in range(3):
            server.send_ndjson([event() for _ in range(100)])
        self.wait_until(lambda: len(list(server.data.rglob("*.seg"))) >= 2)
        server.stop()
        sorted(server.data.glob("logs/activity/**/*.seg"))[0].unlink()
        code, stderr = self.run_once(server, "data", "--strict")
        self.assertEqual(code, 3, stderr)
        self.assertIn("missing: activity:1 to activity:", stderr)
        self.assertIn("nothing is kept", stderr)
        self.assertEqual(list(self.directory.glob("out.*")), [])
        code, stderr = self.run_once(server, "data")
        self.assertEqual(code, 0, stderr)
        self.assertIn("missing: activity:1 to activity:", stderr)
        lines = (self.directory / "out.000001.ndjson").read_text().splitlines()
        self.assertGreater(len(lines), 0)
        self.assertLess(len(lines), 300)
        # It is behind the cursor now.
        self.assertEqual(self.run_once(server, "data", "--strict")[0], 0)

    def test_both_sources_make_the_same_files(self):
        server = self.start()
        made = {}
        for n in range(3):
            server.send_ndjson([event(target=("List", f"{n}.{m}")) for m in range(3)])
            for source in ("data", "server"):
                where = self.directory / source
                where.mkdir(exist_ok=True)
                ask = server.docket_data if source == "data" else server.docket
                ask("export", "--utc", "-o", "csv", "--out", where / "a.csv",
                    "--resume", where / "cursor")
                made[source] = {p.name: p.read_bytes() for p in where.glob("a.*")}
        self.assertEqual(made["data"], made["server"])
        self.assertEqual(sorted(made["data"]), ["a.000001.csv", "a.000002.csv", "a.000003.csv"])


if __name__ == "__main__":
    unittest.main()
