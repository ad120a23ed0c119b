"""A file system that runs full and is freed again, under senders that go on sending.

The file systems are small ones of the test's own, in a mount namespace of this process, so that
nothing of them is left whatever happens. Where the kernel does not allow that, the tests are
skipped and say so.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import unittest

import driver
import senders

MIB = 1 << 20
DISK_BYTES = 48 * MIB
RESERVE_BYTES = 12 * MIB
CONFIG = f"""
[segment]
bytes = "4MiB"
rows = 20000
[limits]
free_space_reserve = "{RESERVE_BYTES // MIB}MiB"
[retention]
interval = "200ms"
"""
RETIRING = CONFIG + '[retention.activity]\nmax_bytes = "10MiB"\n'
FLAGS = ("--events", "5000000", "--mix", "activity:1", "--end", "2026-05-01T00:00:00Z")
BREATHS = 4
# Of filling a disk on which sealing still frees space.
ROUNDS = 20

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
why_not = ""


def setUpModule():
    """A mount namespace of our own; who is not root becomes it in a user namespace."""
    global why_not
    libc = ctypes.CDLL(None, use_errno=True)
    ids = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNS if ids[0] == 0 else CLONE_NEWNS | CLONE_NEWUSER) != 0:
        why_not = f"no mount namespace here: {os.strerror(ctypes.get_errno())}"
        return
    if ids[0] != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {ids[0]} 1"),
                           ("gid_map", f"0 {ids[1]} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    private = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, text=True)
    if private.returncode != 0:
        why_not = f"mounting is not allowed here: {private.stderr.strip()}"


class FullDisk:
    """What holds on every file system; `mount` makes it."""

    def setUp(self):
        super().setUp()
        self.disk = self.directory / "disk"
        self.disk.mkdir()
        if why_not:
            self.skipTest(why_not)
        self.mount()
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=True)
        self.ballast = self.disk / "ballast"
        self.ports = driver.free_ports(2)

    def run_mount(self, *arguments):
        mounted = subprocess.run(["mount", *arguments, self.disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"mounting is not allowed here: {mounted.stderr.strip()}")

    def begin(self, config=CONFIG):
        # The configuration and the server's log beside the small disk, not on it.
        data = self.directory / "data"
        if not data.is_symlink():
            (self.disk / "data").mkdir()
            data.symlink_to(self.disk / "data")
        return self.start(config=config, ingest_port=self.ports[0], http_port=self.ports[1])

    def send(self):
        self.ledger = self.directory / "ledger"
        self.native = self.spawn(
            "docket-load", "send", "--server", f"127.0.0.1:{self.ports[0]}", *FLAGS, "--ledger",
            self.ledger, "--rate", 150000, "--patience-ms", 600000, "--reconnect-ms", 100)
        self.requests = senders.HttpSender("web", self.ports[1])
        self.lines = senders.NdjsonSender("nodes", self.ports[0])
        self.addCleanup(self.requests.end)
        self.addCleanup(self.lines.end)

    def free(self):
        state = os.statvfs(self.disk)
        return state.f_bavail * state.f_frsize

    def fill(self, leave=0):
        """Grows the ballast until so much is left, or to the last byte."""
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while self.free() > leave:
                    file.write(bytes(min(MIB, max(4096, self.free() - leave))))
            except OSError:
                pass

    def files(self):
        return subprocess.run(["ls", "-lR", self.disk], capture_output=True, text=True).stdout

    def servers_log(self):
        return (self.directory / "data.stderr").read_text()[-3000:]

    def is_full(self, server):
        return server.request("GET", "/readyz")[0] == 503

    def acknowledged(self):
        ledger = self.ledger.stat().st_size if self.ledger.exists() else 0
        return ledger, len(self.requests.acknowledged), len(self.lines.acknowledged)

    def wait_for_acknowledgements(self):
        """All three senders have been served since."""
        before = self.acknowledged()
        self.wait_until(lambda: all(now > then for now, then in
                                    zip(self.acknowledged(), before)),
                        lambda: (before, self.acknowledged(), self.free(), self.requests.refusals,
                                 self.lines.refusals, self.files(), self.servers_log()))

    def check_all(self, server):
        """Nothing acknowledged is missing, and nothing is there that was not sent."""
        self.assertIsNone(self.native.poll())
        self.native.kill()
        self.native.wait()
        self.requests.end()
        self.lines.end()
        for sender in (self.requests, self.lines):
            stored = [json.loads(line) for line in server.docket(
                "export", f"log:{sender.log}", "-o", "ndjson").stdout.splitlines()]
            self.assertEqual(sender.faults(stored), [])
        self.assertEqual(server.stop(), 0)
        self.assertNotIn("damage_quarantined", server.log())
        checked = driver.load("check", "--data", server.data, *FLAGS, "--ledger", self.ledger)
        self.assertIn("0 missing, 0 changed, 0 invented", checked.stdout)
        driver.run("docket", "verify", "--deep", "--data", server.data)

    def test_senders_are_put_off_questions_go_on_and_freed_space_is_used(self):
        server = self.begin()
        self.fill(leave=DISK_BYTES // 2)
        self.send()
        self.wait_until(lambda: self.is_full(server))
        refused = self.requests.refusals
        self.wait_until(lambda: self.requests.refusals > refused + 3)
        # All that is frozen is sealed out of the reserve. What sealing gives back goes, too.
        self.wait_until(lambda: len(list(server.data.glob("logs/activity/*.hot"))) <= 1)
        for _ in range(ROUNDS):
            self.fill(leave=RESERVE_BYTES // 2)
            refused = self.requests.refusals
            self.wait_until(lambda: self.requests.refusals > refused + 3)
            before = self.acknowledged()
            count = server.count("log:activity")
            exported = server.docket("export", "log:activity", "-o", "csv").stdout
            again = server.count("log:activity")
            self.assertEqual(server.request("GET", "/healthz")[0], 200)
            if self.acknowledged() == before:
                break  # else a segment was sealed meanwhile, and what it gave back is to go
        self.assertEqual(self.acknowledged(), before)
        self.assertEqual((exported.count("\n"), again), (count + 1, count))
        # The fast one has its turn last: it would fill the disk before the others try again.
        self.native.send_signal(signal.SIGSTOP)
        self.ballast.unlink()
        self.wait_until(lambda: all(now > then for now, then in
                                    zip(self.acknowledged()[1:], before[1:])))
        self.native.send_signal(signal.SIGCONT)
        self.wait_until(lambda: self.acknowledged()[0] > before[0])
        self.check_all(server)

    @staticmethod
    def retired(server, log):
        return {one["log"]: one["retired_events"]
                for one in server.get("/api/v1/stats")["logs"]}[log]

    def test_retention_makes_room_on_a_full_disk(self):
        server = self.begin()
        self.send()
        self.wait_until(lambda: self.is_full(server))
        self.fill(leave=RESERVE_BYTES // 2)  # the reserve is what retention has
        (self.directory / "data.toml").write_text(RETIRING)
        server.process.send_signal(signal.SIGHUP)
        self.wait_for_acknowledgements()
        # Sealing makes room, too, and may have made it first.
        self.wait_until(lambda: self.retired(server, "activity") > 0)
        self.assertEqual(self.retired(server, "web"), 0)
        self.wait_until(lambda: server.count("log:docket verb:RETIRE") > 0)
        self.check_all(server)

    def test_a_disk_that_fills_up_in_the_middle_of_writes_loses_nothing(self):
        """Somebody else's file takes the reserve, too, and gives it back, again and again."""
        server = self.begin(RETIRING)
        self.send()
        for _ in range(BREATHS):
            self.wait_for_acknowledgements()
            self.fill()
            refused = self.requests.refusals
            self.wait_until(lambda: self.requests.refusals > refused + 3)
            self.assertGreater(server.count("log:activity"), 0)
            self.ballast.unlink()
        self.wait_for_acknowledgements()
        self.check_all(server)

    def test_a_server_starts_on_a_full_disk_and_answers(self):
        server = self.begin(RETIRING)
        self.send()
        for leave in (RESERVE_BYTES // 2, 0):
            self.wait_for_acknowledgements()
            self.fill(leave)
            refused = self.requests.refusals
            self.wait_until(lambda: self.requests.refusals > refused + 3)
            server.kill()
            server = self.begin(RETIRING)
            self.assertGreater(server.count("log:activity"), 0)
            self.assertTrue(self.is_full(server))
            self.ballast.unlink()
        self.wait_for_acknowledgements()
        self.check_all(server)


class Tmpfs(FullDisk, driver.EndToEnd):
    def mount(self):
        self.run_mount("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs")


class Ext4(FullDisk, driver.EndToEnd):
    def mount(self):
        if os.getuid() != 0 or shutil.which("mkfs.ext4") is None:
            self.skipTest("a file system in a file takes root and mkfs.ext4")
        image = self.directory / "image"
        with open(image, "wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
        self.run_mount("-o", "loop", image)


if __name__ == "__main__":
    unittest.main()
