"""docket forward: a file that others append to, each line once, however often it is killed."""

import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import threading
import time
import unittest

import driver
from driver import event

KILLS = int(os.environ.get("DOCKET_FORWARD_KILLS", "12"))
SEED = int(os.environ.get("DOCKET_SEED", time.time_ns() % 1_000_000))
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "tools/docket/examples"


class Writer:
    """Appends numbered events, opening the file by name for each, as a request of PHP does."""

    def __init__(self, path):
        self.path = path
        self.count = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._over.wait(0.0005):
            with self._lock, open(self.path, "ab", buffering=0) as file:
                self.count += 1
                file.write(json.dumps(event(target=("Thing", str(self.count)))).encode() + b"\n")

    def pause(self):
        """While it is held, nothing is written."""
        return self._lock

    def end(self):
        self._over.set()
        self._thread.join()


class Forward(driver.EndToEnd):
    def setUp(self):
        super().setUp()
        self.file = self.directory / "audit.ndjson"
        self.state = self.directory / "state"

    def flags(self, server, *more):
        port = server if isinstance(server, int) else server.ingest[1]
        return ["forward", self.file, "--state", self.state, "--ingest", f"127.0.0.1:{port}", *more]

    def state_of(self, server, forward, writer):
        """What stands in the way of `writer`'s lines, for a failure's message."""
        stored = self.ids(server)
        missing = [n + 1 for n in range(writer.count) if str(n + 1) not in stored]
        files = {path.name: path.stat().st_size for path in self.state.iterdir()}
        return (f"{server.count()} of {writer.count} lines are stored, missing {missing[:5]} to "
                f"{missing[-5:]}; docket forward: {forward.poll()}; its state: {files}; the "
                f"server: {server.log()[-2000:]}")

    def once(self, server, **options):
        return driver.run("docket", *self.flags(server, "--once"), **options)

    def ids(self, server):
        return collections.Counter(
            json.loads(line)["target"]["id"]
            for line in server.docket("export", "-o", "ndjson").stdout.splitlines())

    def test_no_kill_of_it_or_the_server_loses_or_doubles_a_line(self):
        print(f"seed {SEED}, {KILLS} kills", flush=True)
        moments = random.Random(SEED)
        ports = driver.free_ports(2)

        def revive():
            return self.start(ingest_port=ports[0], http_port=ports[1], wait=False)

        server = revive()
        forward = self.spawn("docket", *self.flags(ports[0]))
        writer = Writer(self.file)
        self.addCleanup(writer.end)
        # A file that is renamed before any of it was read is one that nobody knows of.
        server.wait_until_ready()
        self.wait_until(lambda: server.count() > 0)
        rotations = 0
        for _ in range(KILLS):
            time.sleep(moments.uniform(0, 0.5))
            if moments.random() < 0.5:
                rotations += 1
                self.file.rename(f"{self.file}.{rotations}")
            who = moments.choice(("forward", "server", "both"))
            if who != "server":
                self.assertIsNone(forward.poll(), "it ended by itself")
                forward.kill()
                forward.wait()
            if who != "forward":
                server.kill()
                server = revive()
            if who != "server":
                forward = self.spawn("docket", *self.flags(ports[0]))
        writer.end()
        server.wait_until_ready()
        self.wait_until(lambda: server.count() >= writer.count,
                        lambda: self.state_of(server, forward, writer))
        forward.kill()
        forward.wait()
        done = self.once(server)
        self.assertEqual(done.stderr, "")
        self.assertEqual(self.ids(server), {str(n + 1): 1 for n in range(writer.count)})
        print(f"{writer.count} lines, {rotations} rotations, each line stored once", flush=True)

    def test_a_file_that_is_truncated_is_read_from_its_start(self):
        server = self.start()
        self.spawn("docket", *self.flags(server))
        writer = Writer(self.file)
        self.addCleanup(writer.end)
        for _ in range(3):
            time.sleep(0.2)
            with writer.pause():
                # As copytruncate may: what has been read, and no more.
                self.wait_until(lambda: server.count() == writer.count)
                os.truncate(self.file, 0)
        writer.end()
        self.wait_until(lambda: server.count() == writer.count)
        self.assertEqual(self.ids(server), {str(n + 1): 1 for n in range(writer.count)})

    def test_once_ends_at_the_end_and_goes_on_there(self):
        server = self.start()
        lines = [json.dumps(event(target=("Thing", str(n)))) for n in range(1, 6)]
        self.file.write_text("\n".join(lines[:3]) + "\n" + lines[3])
        first = self.once(server)
        self.assertEqual(first.stdout, "3 events stored, 0 refused\n")
        self.assertIn("the last line has no end yet", first.stderr)
        with open(self.file, "a") as file:
            file.write("\n" + lines[4] + "\n")
        self.assertEqual(self.once(server).stdout, "2 events stored, 0 refused\n")
        self.assertEqual(self.once(server).stdout, "0 events stored, 0 refused\n")
        self.assertEqual(self.ids(server), {str(n): 1 for n in range(1, 6)})

    def test_lines_that_are_no_events_are_named_and_their_neighbours_are_stored(self):
        server = self.start()
        good = json.dumps(event())
        future = json.dumps(event(ts="2199-01-01T00:00:00Z"))
        self.file.write_text(f"{good}\n{{\"verb\":1}}\n\n{future}\n{good}\n")
        done = self.once(server, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, "2 events stored, 2 refused\n"))
        told = done.stderr.splitlines()
        self.assertEqual(len(told), 2, told)
        self.assertIn(f"{self.file}: the line at byte {len(good) + 1}: ", told[0])
        self.assertIn("24 h in the future", told[1])

    def test_what_has_been_read_needs_neither_the_file_nor_the_server(self):
        ports = driver.free_ports(2)
        self.file.write_text("".join(json.dumps(event(target=("Thing", str(n)))) + "\n"
                                     for n in range(500)))
        forward = self.spawn("docket", *self.flags(ports[0]))
        self.wait_until(lambda: any(b'"499"' in path.read_bytes() or b"\x03499" in path.read_bytes()
                                    for path in self.state.glob("*.spool")))
        forward.kill()
        forward.wait()
        self.file.unlink()
        server = self.start(ingest_port=ports[0], http_port=ports[1])
        self.assertEqual(self.once(server).stdout, "500 events stored, 0 refused\n")
        self.assertEqual(self.ids(server), {str(n): 1 for n in range(500)})

    def test_a_state_is_one_files_and_one_processs(self):
        server = self.start()
        self.file.touch()
        self.spawn("docket", *self.flags(server))
        self.wait_until((self.state / "lock").exists)
        self.wait_until(lambda: list(self.state.glob("*.spool")))
        second = self.once(server, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another client has this spool", second.stderr)

    def examples(self, program, example):
        server = self.start()
        for _ in range(2):  # two processes, one after the other
            subprocess.run([program, EXAMPLES / example, self.file, "20"], check=True)
        self.assertEqual(self.once(server).stdout, "40 events stored, 0 refused\n")
        self.assertEqual(server.count("changed:hourly_limit verb:EDIT"), 40)

    @unittest.skipUnless(shutil.which("node"), "there is no node")
    def test_the_example_for_node_arrives(self):
        self.examples("node", "audit.js")

    @unittest.skipUnless(shutil.which("php"), "there is no php")
    def test_the_example_for_php_arrives(self):
        self.examples("php", "audit.php")


if __name__ == "__main__":
    unittest.main()
