"""Peers that overload the server, or mean it harm: the others are served, and memory is bounded.

Each test prints what polite senders met before and during the attack, and the server's memory.
With DOCKET_HOSTILE=full the attacks have their full size (`tools/dev soak --hostile`).
"""

import contextlib
import json
import os
import random
import resource
import socket
import threading
import time
import unittest
import urllib.parse

import driver
from driver import event

FULL = os.environ.get("DOCKET_HOSTILE") == "full"
FRAMES = int(os.environ.get("DOCKET_FRAMES", 100_000_000 if FULL else 100_000))
SEED = int(os.environ.get("DOCKET_SEED", time.time_ns() % 1_000_000))

MIB = 1 << 20
LIMITS = """
[limits]
ingest_bytes = "32MiB"
cache_bytes = "16MiB"
index_bytes = "16MiB"
http_bytes = "32MiB"
"""
# What the limits add up to, and a fixed part: code, threads, blocks being built, sealed and read.
MEMORY_MAX = (32 + 16 + 16 + 32) * MIB + 128 * MIB

# Native, of node `web-1`; PROTOCOL.md has these bytes.
HELLO = b"DKT1" + bytes.fromhex(
    "19000000 01000000 859e9ef64c22abe9"
    "0100 0000 00000000 80 20 82 6b 74 70 ab 18 0500 7765622d31 0000")
PING = bytes.fromhex("08000000 06000000 df9ecf7a56db6e53 0100000000000000")


def allow_descriptors(count):
    """As many sockets as the test needs, where the hard limit allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
    return min(count, hard)


class Polite:
    """Fifty senders with a modest rate, and what they met."""

    CONNECTIONS, EVENTS = 50, 3000

    def __init__(self, server):
        self.server = server
        self.sent = 0

    def run(self):
        report = json.loads(driver.load(
            "send", "--server", f"127.0.0.1:{self.server.ingest[1]}", "--events", self.EVENTS,
            "--connections", self.CONNECTIONS, "--rate", self.EVENTS / 3, "--json").stdout)
        if (report["durable"], report["rejected"]) != (self.EVENTS, 0):
            raise AssertionError(report)
        self.sent += self.EVENTS
        return report["ack_latency_ms"]["p99"]


class Hostile(driver.EndToEnd):
    def begin(self, config=LIMITS):
        self.server = self.start(config=config)
        self.polite = Polite(self.server)
        self.before = self.polite.run()
        return self.server

    def status(self, field):
        with open(f"/proc/{self.server.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field)) * 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.server.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def metric(self, name):
        text = self.server.request("GET", "/metrics")[2].decode()
        return sum(float(line.split()[-1]) for line in text.splitlines()
                   if line.split("{")[0].split()[0] == name)

    def end(self, what, extra=0):
        """The polite senders' turn while the attack goes on; then what must hold after any."""
        during = self.polite.run()
        peak = self.status("VmHWM")
        print(f"{what}: polite p99 {self.before:.1f} ms before, {during:.1f} ms during; "
              f"memory at most {peak / MIB:.0f} MiB", flush=True)
        self.assertLess(peak, MEMORY_MAX + extra)
        self.assertIsNone(self.server.process.poll())
        self.assertEqual(self.server.count("node:docket-load-*"), self.polite.sent)

    def connect(self, port="ingest"):
        connection = socket.create_connection(getattr(self.server, port),
                                              timeout=driver.ANSWER_SECONDS)
        self.addCleanup(connection.close)
        return connection

    def test_malformed_frames_and_lines_are_refused_and_nobody_else_notices(self):
        server = self.begin()
        garbage = self.spawn("docket-load", "garbage", "--server",
                             f"127.0.0.1:{server.ingest[1]}", "--frames", FRAMES, "--seed", SEED)
        self.end(f"{FRAMES:,} malformed frames and lines")
        output, _ = garbage.communicate()
        print(output.decode().strip(), flush=True)
        self.assertEqual(garbage.returncode, 0, output)
        self.end("after them")


if __name__ == "__main__":
    unittest.main()
