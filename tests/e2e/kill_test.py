"""kill -9, again and again, wherever the server happens to be: nothing acknowledged is lost."""

import ctypes
import json
import os
import random
import re
import select
import struct
import time
import unittest

import driver
import senders

KILLS = int(os.environ.get("DOCKET_KILLS", "200"))
SEED = int(os.environ.get("DOCKET_SEED", time.time_ns() % 1_000_000))

# So small that each life freezes, seals and retires. `nodes` and the system's log are quiet: their
# segments end by age and are coalesced from blocks of a row.
CONFIG = """
[segment]
rows = 1500
age = "1s"
[retention]
interval = "1s"
[retention.activity]
max_bytes = "512KiB"
"""
EVENTS_PER_SECOND = 15000
ENDING = "2026-05-01T00:00:00Z"
SIGN_SECONDS = 2.0  # how long a sign is waited for before the kill comes without it


class DirectoryWatch:
    """Tells at once when the name of a file in a directory comes or goes (inotify(7))."""

    CREATED, GONE = 0x100, 0x200
    HEAD = struct.Struct("iIII")  # struct inotify_event, without the name

    def __init__(self, directory, events):
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.inotify_init1(os.O_CLOEXEC)
        if libc.inotify_add_watch(self.descriptor, os.fsencode(directory), events) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.descriptor)

    def wait_for(self, suffix, seconds):
        """Whether a name that ends so came within so many seconds."""
        end = time.monotonic() + seconds
        while select.select([self.descriptor], [], [], max(0, end - time.monotonic()))[0]:
            told = os.read(self.descriptor, 65536)
            while told:
                size = self.HEAD.size + self.HEAD.unpack_from(told)[3]
                if told[self.HEAD.size : size].rstrip(b"\0").endswith(suffix.encode()):
                    return True
                told = told[size:]
        return False


class Kill(driver.EndToEnd):
    def test_no_kill_loses_or_doubles_an_acknowledged_event(self):
        """Under one native sender, one of single lines and one of requests with keys."""
        print(f"seed {SEED}, {KILLS} kills", flush=True)
        self.moments = random.Random(SEED)
        self.ports = driver.free_ports(2)
        self.logs = self.directory / "data" / "logs"
        self.hits = dict.fromkeys(("recovery", "sealing", "coalescing", "retirement"), 0)
        server = self.revive()
        server.wait_until_ready()
        # More than there is time to send: the sender is busy at every kill.
        flags = ["--events", str(EVENTS_PER_SECOND * max(KILLS, 20)), "--seed", str(SEED), "--end",
                 ENDING, "--mix", "activity:70,campaign:30"]
        ledger = self.directory / "ledger"
        native = self.spawn("docket-load", "send", "--server", f"127.0.0.1:{self.ports[0]}", *flags,
                            "--ledger", ledger, "--connections", "2", "--rate", EVENTS_PER_SECOND,
                            "--reconnect-ms", "50")
        lines = senders.NdjsonSender("nodes", self.ports[0])
        requests = senders.HttpSender("web", self.ports[1])
        self.wait_until((self.logs / "nodes").exists)
        kills = 0
        while kills < KILLS:
            way = self.moments.choices((self.live, self.recover, self.seal, self.retire),
                                       (30, 30, 15, 25))[0]
            way(server)
            server.kill()
            kills += 1
            self.note_what_was_hit()
            server = self.revive()
        server.wait_until_ready()
        self.assertIsNone(native.poll(), "the sender was done before it was disturbed")
        self.wait_until(lambda: len(lines.acknowledged) > KILLS / 4)
        self.wait_until(lambda: len(requests.acknowledged) > KILLS / 4)
        for sender in (lines, requests):
            sender.end()
        native.kill()
        native.wait()
        self.check_retirement(server)
        for sender in (lines, requests):
            stored = [json.loads(line) for line in server.docket(
                "export", f"log:{sender.log}", "-o", "ndjson").stdout.splitlines()]
            self.assertEqual([one["seq"] for one in stored], list(range(1, len(stored) + 1)))
            self.assertEqual(sender.faults(stored), [])
            print(f"log {sender.log}: {len(sender.acknowledged)} events acknowledged, "
                  f"{len(stored)} stored", flush=True)
        self.assertEqual(server.stop(), 0)
        self.assertNotIn("damage_quarantined", server.log())
        checked = driver.load("check", "--data", server.data, *flags, "--ledger", ledger)
        self.assertIn("0 missing, 0 changed, 0 invented", checked.stdout)
        self.assertNotIn(", 0 retired:", checked.stdout)
        print(checked.stdout.strip(), flush=True)
        driver.run("docket", "verify", "--deep", "--data", server.data)
        print(f"{kills} kills: {self.hits['recovery']} in recovery, {self.hits['sealing']} while "
              f"sealing ({self.hits['coalescing']} of them blocks of single rows), "
              f"{self.hits['retirement']} while retiring", flush=True)
        for what, hits in self.hits.items():
            if KILLS >= 100:
                self.assertGreater(hits, 0, what)

    # --- what the kill waits for ----------------------------------------------------------------

    def revive(self):
        return self.start(config=CONFIG, ingest_port=self.ports[0], http_port=self.ports[1],
                          wait=False)

    def live(self, server):
        """Some time under load."""
        server.wait_until_ready()
        time.sleep(self.moments.uniform(0, 0.4))

    def recover(self, server):
        """A moment within recovery; a recovery may be killed again before it was ever done."""
        time.sleep(self.moments.uniform(0, 0.012))
        if not server.ports:
            self.hits["recovery"] += 1

    def seal(self, server):
        """The file of a segment that is being sealed; of the quiet log every second time."""
        server.wait_until_ready()
        log = self.moments.choice(("activity", "nodes"))
        with DirectoryWatch(self.logs / log, DirectoryWatch.CREATED) as watch:
            watch.wait_for(".seg.tmp", SIGN_SECONDS)
            time.sleep(self.moments.choice((0, 0, 0.0003)))

    def retire(self, server):
        """The first file that goes when several are to go."""
        server.wait_until_ready()
        with DirectoryWatch(self.logs / "activity", DirectoryWatch.GONE) as watch:
            watch.wait_for(".seg", SIGN_SECONDS)
            time.sleep(self.moments.uniform(0, 0.002))

    # --- what it met -----------------------------------------------------------------------------

    def note_what_was_hit(self):
        sealing = [path for path in self.logs.glob("*/*.seg.tmp")]
        sealing += [path for path in self.logs.glob("*/*.hot") if path.with_suffix(".seg").exists()]
        if sealing:
            self.hits["sealing"] += 1
        # Every block of this log has a few rows at most.
        if any(path.parent.name == "nodes" for path in sealing):
            self.hits["coalescing"] += 1
        # A segment's file goes before its index.
        if any(not path.with_suffix(".seg").exists() for path in self.logs.glob("activity/*.idx")):
            self.hits["retirement"] += 1

    def check_retirement(self, server):
        """Only what the policy allows is gone, and each segment that went is on the record."""
        logs = {log["log"]: log for log in server.get("/api/v1/stats")["logs"]}
        for name, log in logs.items():
            self.assertEqual(log["first_seq"] > 1, name == "activity", name)
        records = server.docket("export", "log:docket verb:RETIRE", "-o", "ndjson").stdout
        retired = [json.loads(line)["target"]["id"] for line in records.splitlines()]
        # Recorded, killed before it was done, and recorded again when it was.
        self.hits["retirement"] += len(retired) - len(set(retired))
        self.assertTrue(all(re.fullmatch(r"activity/\d+", one) for one in retired), retired[:5])
        self.assertGreater(len(retired), 0)


if __name__ == "__main__":
    unittest.main()
