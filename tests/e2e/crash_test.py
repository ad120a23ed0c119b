"""An acknowledged event survives whatever happens to the process; damage is shown, not hidden."""

import contextlib
import json
import resource
import signal
import socket
import subprocess
import threading
import unittest

import driver
import senders
from driver import event


class Crash(driver.EndToEnd):
    def test_sigterm_commits_and_acknowledges_what_was_received(self):
        """Under native senders, single lines and requests, several connections of each."""
        server = self.start()
        ledger = self.directory / "ledger"
        flags = ["--events", "2000000", "--mix", "activity:1,campaign:1", "--end",
                 "2026-05-01T00:00:00Z"]
        native = self.spawn("docket-load", "send", "--server", f"127.0.0.1:{server.ingest[1]}",
                            *flags, "--ledger", ledger, "--patience-ms", 600000, "--connections", 3)
        others = [senders.NdjsonSender(f"nodes-{i}", server.ingest[1]) for i in range(4)]
        others += [senders.HttpSender(f"web-{i}", server.http[1]) for i in range(4)]
        self.wait_until(lambda: ledger.exists() and ledger.stat().st_size > 0 and
                        all(len(sender.acknowledged) > 20 for sender in others))
        self.assertEqual(server.stop(), 0)
        self.assertIsNone(native.poll(), "the sender was done before the end")
        native.kill()
        native.wait()
        for sender in others:
            sender.end()
            # The directory needs no recovery to be asked.
            stored = server.docket_data("export", f"log:{sender.log}", "-o", "ndjson").stdout
            stored = [json.loads(line) for line in stored.splitlines()]
            self.assertEqual(sender.faults(stored), [])
            # What was committed was answered, too: the server ended after it had told.
            self.assertLessEqual(len(stored) - len(sender.acknowledged),
                                 sender.EVENTS if isinstance(sender, senders.HttpSender) else 0)
        checked = driver.load("check", "--data", server.data, *flags, "--ledger", ledger)
        self.assertIn("0 missing, 0 changed, 0 invented", checked.stdout)

    def test_bulk_lines_that_were_received_at_sigterm_are_answered(self):
        """Every line that came to be stored is covered by a `durable` that reached its sender."""
        server = self.start()
        connection = socket.create_connection(server.ingest, timeout=driver.ANSWER_SECONDS)
        sent = []

        def send():
            with contextlib.suppress(OSError):
                while True:
                    lines = "".join(json.dumps(event(target=("Thing", str(len(sent) + i)))) + "\n"
                                    for i in range(100))
                    connection.sendall(lines.encode())
                    sent.append(100)

        flood = threading.Thread(target=send)
        flood.start()
        answers = connection.makefile("rb")
        durable = json.loads(answers.readline())["durable"]
        server.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(ConnectionError):
            for line in answers:
                durable = json.loads(line)["durable"]
        connection.close()
        flood.join()
        self.assertEqual(server.stop(), 0)
        count = int(server.docket_data("count", "log:activity").stdout.replace(",", ""))
        self.assertEqual(count, durable)

    def test_times_that_go_back_leave_the_order_of_receipt(self):
        server = self.start()
        # As from a node whose clock is set back by an hour with each event.
        events = [event(ts=f"2026-05-01T{hour:02}:00:00Z", target=("Thing", str(hour)))
                  for hour in reversed(range(24))]
        for each in events:
            self.assertEqual(server.send_ndjson([each])[-1], {"durable": 1})
        for _ in range(2):
            found = server.search(oldest="true", limit=100)
            self.assertEqual([one["seq"] for one in found], list(range(24, 0, -1)))
            self.assertEqual([one["ts"] for one in found], [one["ts"] for one in events[::-1]])
            received = [one["received"] for one in sorted(found, key=lambda one: one["seq"])]
            self.assertEqual(received, sorted(received))
            self.assertEqual(server.stop(), 0)
            server = self.start()

    def test_verify_beside_a_running_server_finds_no_damage(self):
        config = driver.SMALL_SEGMENTS + '[retention.activity]\nmax_bytes = "1MiB"\n'
        server = self.start(config=config)
        sender = self.spawn("docket-load", "send", "--server", f"127.0.0.1:{server.ingest[1]}",
                            "--events", 200000, "--end", "2026-05-01T00:00:00Z")
        while sender.poll() is None:
            driver.run("docket", "verify", "--data", server.data)
        self.assertEqual(sender.returncode, 0)

    def test_a_second_server_on_the_same_directory_is_refused(self):
        server = self.start()
        server.send_ndjson([event()])
        second = driver.run("docketd", "--data", server.data, "--ingest", "127.0.0.1:0", "--http",
                            "127.0.0.1:0", check=False)
        self.assertEqual(second.returncode, 1)
        self.assertEqual(second.stdout, "")
        self.assertEqual(server.count(), 1)

    def test_a_taken_port_is_one_clear_line(self):
        server = self.start()
        second = driver.run("docketd", "--data", self.directory / "other", "--ingest",
                            f"127.0.0.1:{server.ingest[1]}", "--http", "127.0.0.1:0", check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(server.ingest[1]), second.stderr)

    def test_a_restart_finds_everything_again(self):
        server = self.start(config=driver.SMALL_SEGMENTS)
        flags = ["--events", "70000", "--end", "2026-05-01T00:00:00Z"]
        driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", *flags)
        for _ in range(2):
            self.assertEqual(server.stop(), 0)
            server = self.start(config=driver.SMALL_SEGMENTS)
            self.assertEqual(server.count(), 70000)
        checked = driver.load("check", "--server", server.url, *flags, "--filters", 50)
        self.assertIn("0 mismatches", checked.stdout)


class Damage(driver.EndToEnd):
    """A store of several sealed segments, then bytes flipped in its files."""

    FLAGS = ("--events", "100000", "--mix", "activity:1", "--end", "2026-05-01T00:00:00Z")

    def setUp(self):
        super().setUp()
        with driver.Server(self.directory / "data", config=driver.SMALL_SEGMENTS) as server:
            self.data = self.directory / "data"
            # At a rate, lest all of them are one commit group, and so one segment. Segments are
            # sealed and indexed behind the acknowledgement.
            driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", *self.FLAGS,
                        "--rate", 100000)
            self.wait_until(lambda: 1 < len(self.files(".seg")) == len(self.files(".idx")))
            server.stop()

    def files(self, suffix):
        found = sorted(self.data.rglob(f"*{suffix}"))
        return [path for path in found if path.parent.name == "activity" and path.stat().st_size]

    def flip(self, path, offset):
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)
            file.seek(offset)
            file.write(bytes([byte[0] ^ 0x40]))

    def test_a_flipped_byte_in_an_index_changes_no_answer(self):
        indexes = self.files(".idx")
        self.assertGreater(len(indexes), 1)
        for i, path in enumerate(indexes):
            self.flip(path, (i * 7919 + 100) % path.stat().st_size)
        checked = driver.load("check", "--data", self.data, *self.FLAGS, "--filters", 50)
        self.assertIn("0 mismatches", checked.stdout)
        server = self.start()
        checked = driver.load("check", "--server", server.url, *self.FLAGS, "--filters", 50)
        self.assertIn("0 mismatches", checked.stdout)

    def test_missing_indexes_are_built_again(self):
        for path in self.files(".idx"):
            path.unlink()
        checked = driver.load("check", "--data", self.data, *self.FLAGS, "--filters", 20)
        self.assertIn("0 mismatches", checked.stdout)

    def test_a_damaged_segment_is_reported_as_a_gap_and_the_rest_is_answered(self):
        segments = self.files(".seg")
        self.assertGreater(len(segments), 1)
        path = segments[1]
        for offset in range(4096, path.stat().st_size, 4096):
            self.flip(path, offset)
        server = self.start()
        answer = server.get("/api/v1/count", q="verb:EDIT")
        self.assertTrue(answer["gaps"], "damage was left out in silence")
        self.assertGreater(answer["count"], 0)
        verify = driver.run("docket", "verify", "--deep", "--data", self.data, check=False)
        self.assertEqual(verify.returncode, 3)
        self.assertRegex(verify.stdout + verify.stderr, f"segment {int(path.stem)}|{path.name}")

    def test_an_export_says_what_is_missing_everywhere(self):
        path = self.files(".seg")[1]
        for offset in range(4096, path.stat().st_size, 4096):
            self.flip(path, offset)
        server = self.start()
        for ask in (server.docket, server.docket_data):
            self.assertIn("missing: activity:", ask("export").stderr)
            strict = ask("export", "--strict", check=False)
            self.assertEqual(strict.returncode, 3)
            rows = len(strict.stdout.splitlines()) - 1
            self.assertIn(f"rows {rows}\n", strict.stderr)
            self.assertEqual(rows, server.count())
        with socket.create_connection(server.http, timeout=driver.ANSWER_SECONDS) as raw:
            raw.sendall(b"GET /api/v1/export HTTP/1.1\r\nHost: localhost\r\n"
                        b"Connection: close\r\n\r\n")
            answer = b"".join(iter(lambda: raw.recv(1 << 20), b""))
        self.assertIn(b'X-Docket-Gaps: [{"log":"activity"', answer[-10000:])
        self.wait_until(lambda: server.count("log:docket verb:EXPORT") == 3)
        self.assertEqual(server.count('log:docket verb:EXPORT payload:gaps'), 3)

    def test_verify_names_the_file_wherever_a_byte_is_flipped(self):
        with driver.Server(self.data, config=driver.SMALL_SEGMENTS) as server:
            server.send_ndjson([event()])
            server.stop()
        paths = ["DOCKET"] + [f"logs/activity/manifest.{copy}" for copy in "ab"]
        paths += [self.files(suffix)[-1].relative_to(self.data)
                  for suffix in (".seg", ".hot", ".idx")]
        for path in paths:
            for offset in (0, 9, 22):
                self.flip(self.data / path, offset)
                verify = driver.run("docket", "verify", "--data", self.data, check=False)
                self.assertEqual(verify.returncode, 3, (path, offset))
                self.assertIn(str(self.data / path), verify.stdout)
                self.flip(self.data / path, offset)
        driver.run("docket", "verify", "--data", self.data)
        (self.data / "logs/api").rename(self.data / "api")
        verify = driver.run("docket", "verify", "--data", self.data, check=False)
        self.assertEqual(verify.returncode, 3)
        self.assertIn("api: the directory of the log is missing", verify.stdout)
        (self.data / "DOCKET").write_text("docket store, format 2\n")
        newer = driver.run("docket", "verify", "--data", self.data, check=False)
        self.assertEqual((newer.returncode, newer.stdout), (1, ""))
        self.assertIn("format 2", newer.stderr)
        usage = driver.run("docket", "verify", check=False)
        self.assertEqual(usage.returncode, 2)
        self.assertIn("--data DIR", usage.stderr)

    def test_a_hot_file_that_is_cut_or_lost_after_a_stop_is_found_out(self):
        with driver.Server(self.data, config=driver.SMALL_SEGMENTS) as server:
            for n in range(5):
                server.send_ndjson([event(reason=f"group-{n}")])
            before = server.count()
            server.stop()
        hot = [file for file in self.files(".hot") if "activity" in str(file)][-1]
        whole = hot.read_bytes()
        used = len(whole.rstrip(b"\0"))

        def look(changed):
            if changed is None:
                hot.unlink()
            else:
                hot.write_bytes(changed)
            verify = driver.run("docket", "verify", "--data", self.data, check=False)
            self.assertEqual(verify.returncode, 3, verify.stdout)
            self.assertIn("activity", verify.stdout)
            gaps = self.docket_gaps()
            self.assertEqual([gap["last_seq"] for gap in gaps], [before])

        for changed in (whole[:used // 2], whole[:used // 2] + bytes(len(whole) - used // 2), None):
            look(changed)
        server = self.start()
        self.assertEqual(server.get("/api/v1/count", q="")["gaps"][0]["last_seq"], before)
        server.send_ndjson([event(reason="after")])
        self.assertEqual(server.search("reason:after")[0]["seq"], before + 1)

    def docket_gaps(self):
        counted = driver.run("docket", "count", "-o", "json", "--data", self.data)
        return json.loads(counted.stdout)["gaps"]

    def test_what_recovery_sets_aside_is_written_down_and_shown(self):
        with driver.Server(self.data, config=driver.SMALL_SEGMENTS) as server:
            server.send_ndjson([event(reason="sent-before")])
            server.send_ndjson([event(reason="sent-behind")])
            server.stop()
        hot = self.files(".hot")[-1]
        at = hot.read_bytes().index(b"sent-before")
        self.flip(hot, at)
        server = self.start()
        self.assertEqual(server.count("reason:sent-before"), 0)
        self.assertEqual(server.count("reason:sent-behind"), 1)
        place = rf"set aside at .*: activity: bytes \d+ to \d+ of {hot.name}, activity:\d+ to"
        for shown in (server.docket("segments").stderr, server.docket_data("segments").stderr,
                      server.docket_data("verify", check=False).stdout):
            self.assertRegex(shown, place)
        record = server.get("/api/v1/segments")["quarantine"][0]
        self.assertLessEqual(record["offset"], at)
        self.assertGreater(record["offset"] + record["bytes"], at)
        self.wait_until(lambda: (hot.parent / record["kept"]).exists())

    def test_the_scrub_finds_damage_that_nobody_asks_for(self):
        def metric(name):
            text = server.request("GET", "/metrics")[2].decode()
            return int(next(line for line in text.splitlines() if line.startswith(name + " "))
                       .split()[1])

        def next_round():
            ended = metric("docket_scrub_last_round_end_seconds")
            self.wait_until(lambda: metric("docket_scrub_last_round_end_seconds") > ended)

        server = self.start(config=driver.SMALL_SEGMENTS + '[scrub]\nperiod = "1s"\n')
        next_round()
        self.assertEqual(metric("docket_scrub_damaged_places"), 0)
        self.assertGreater(metric("docket_scrub_bytes_total"), 0)
        path = self.files(".seg")[1]
        self.flip(path, path.stat().st_size // 2)
        found = "log:docket verb:VERIFY"
        self.wait_until(lambda: server.count(found) > 0)
        told = server.search(found)
        self.assertIn(str(path), json.dumps(told))
        self.assertEqual(metric("docket_scrub_damaged_places"), len(told))
        # What the scrub has read before is not what the server answers from.
        self.assertIn("missing: ", server.docket("export", "log:activity").stderr)
        next_round()
        next_round()
        self.assertEqual(server.count(found), len(told))
        self.assertEqual(server.stop(), 0)
        server = self.start(config=driver.SMALL_SEGMENTS + '[scrub]\nperiod = "1s"\n')
        next_round()
        next_round()
        self.assertEqual(server.count(found), len(told))

    def test_repair_builds_anew_what_is_derived_and_nothing_else(self):
        def content(suffix):
            return {path: path.read_bytes() for path in self.data.rglob(f"*{suffix}")}

        events = {**content(".seg"), **content(".hot")}
        indexes = content(".idx")
        self.flip(self.files(".idx")[0], 5000)
        self.files(".idx")[1].unlink()
        copies = [self.data / f"logs/activity/manifest.{copy}" for copy in "ab"]
        self.flip(copies[0], 60)
        with driver.Server(self.data, config=driver.SMALL_SEGMENTS) as server:
            refused = driver.run("docket", "verify", "--repair", "--data", self.data, check=False)
            self.assertEqual((refused.returncode, refused.stdout), (1, ""))
            self.assertIn("a server is running", refused.stderr)
            self.assertEqual(len(refused.stderr.splitlines()), 1)
            # What the start has found is told, although it has made the copy anew.
            self.wait_until(lambda: copies[0].read_bytes() == copies[1].read_bytes())
            self.wait_until(
                lambda: str(copies[0]) in json.dumps(server.search("log:docket verb:QUARANTINE")))
            server.kill()
        self.flip(copies[0], 60)
        repair = driver.run("docket", "verify", "--repair", "--deep", "--data", self.data)
        self.assertEqual(repair.stdout.count("built anew: "), 3, repair.stdout)
        self.assertIn("3 files built anew, no damage found", repair.stdout)
        self.assertEqual(content(".idx"), indexes)
        again = driver.run("docket", "verify", "--repair", "-o", "json", "--data", self.data)
        self.assertEqual(json.loads(again.stdout)["repaired"], [])
        self.flip(self.files(".seg")[0], 5000)
        left = driver.run("docket", "verify", "--repair", "--data", self.data, check=False)
        self.assertEqual(left.returncode, 3)
        self.flip(self.files(".seg")[0], 5000)
        sealed = content(".seg")
        self.assertEqual(sealed, {path: events[path] for path in sealed})

    def test_what_verify_cannot_open_is_no_damage(self):
        met = 0
        for limit in range(4, 12):
            verify = subprocess.run(
                [driver.BIN / "docket", "verify", "--data", self.data], capture_output=True,
                text=True, timeout=driver.ANSWER_SECONDS,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
            self.assertIn(verify.returncode, (0, 1, 127), verify.stdout)  # 127: no libraries
            self.assertNotIn("damaged", verify.stdout)
            if verify.returncode == 1 and verify.stdout:
                met += 1
                self.assertIn("places could not be read now", verify.stdout)
                self.assertEqual(len(verify.stderr.splitlines()), 1)
        self.assertGreater(met, 0, "this test cannot tell")

    def test_verify_is_content_with_a_sound_store(self):
        verify = driver.run("docket", "verify", "--deep", "--data", self.data)
        self.assertEqual(verify.returncode, 0)

    def test_a_lost_manifest_is_rebuilt_from_the_segments(self):
        manifests = [p for p in self.data.rglob("*") if "manifest" in p.name.lower()]
        self.assertTrue(manifests)
        for path in manifests:
            path.unlink()
        server = self.start()
        self.assertEqual(server.count(), 100000)
        checked = driver.load("check", "--server", server.url, *self.FLAGS, "--filters", 20)
        self.assertIn("0 mismatches", checked.stdout)


if __name__ == "__main__":
    unittest.main()
