"""Peers that overload the server, or mean it harm: the others are served, and memory is bounded.

Each test prints what polite senders met before and during the attack, and the server's memory.
With DOCKET_HOSTILE=full the attacks have their full size (`tools/dev soak --hostile`).
"""

import contextlib
import json
import os
import random
import resource
import signal
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
# What is there to ask for is in a log of its own; the polite senders' is counted.
FLOODED = "campaign"
MIX = FLOODED + ":1"
EVENTS = 200_000
LIMITS = """
[segment]
bytes = "16MiB"
[limits]
ingest_bytes = "32MiB"
cache_bytes = "16MiB"
index_bytes = "16MiB"
http_bytes = "32MiB"
"""
# What the limits add up to, and a fixed part: code, threads, blocks being built, sealed and read. A
# segment in progress costs memory for each of its blocks, and single lines make a block each.
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

    CONNECTIONS, EVENTS = 50, 10000 if FULL else 2000

    def __init__(self, server):
        self.server = server
        self.sent = 0

    def run(self):
        """p99 of the durable acknowledgement, in milliseconds from when an event was due."""
        report = json.loads(driver.load(
            "send", "--server", f"127.0.0.1:{self.server.ingest[1]}", "--events", self.EVENTS,
            "--connections", self.CONNECTIONS, "--rate", 1000, "--mix", "activity:1",
            "--json").stdout)
        if (report["durable"], report["rejected"]) != (self.EVENTS, 0):
            raise AssertionError(report)
        self.sent += self.EVENTS
        return report["ack_latency_ms"]["p99"]


class Background:
    """Something that goes on in a thread until the end of a `with`."""

    def __init__(self, work):
        self.over = threading.Event()
        self.thread = threading.Thread(target=work, args=(self.over,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def drip(connections, over):
    """A byte a second to each of `connections`, pairs of a socket and what it sends."""
    at = 0
    while not over.is_set():
        for connection, data in connections:
            with contextlib.suppress(OSError):  # the server may have had enough
                connection.send(data[at : at + 1])
        at += 1
        over.wait(1)


class Hostile(driver.EndToEnd):
    def begin(self, config=LIMITS, events=0):
        self.server = self.start(config=config)
        self.polite = Polite(self.server)
        if events:
            driver.load("send", "--server", f"127.0.0.1:{self.server.ingest[1]}", "--events",
                        events, "--end", "2026-05-01T00:00:00Z", "--seed", "7", "--mix", MIX)
        self.polite.run()  # the first finds everything cold
        self.before = self.polite.run()
        self.ask_before = self.slowest_answer()
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
                   if line.startswith((name + " ", name + "{")))

    def slowest_answer(self):
        """The slowest of twenty polite questions, in milliseconds; each must be answered."""
        slowest = 0
        for _ in range(20):
            start = time.monotonic()
            self.server.count("log:docket verb:START")
            slowest = max(slowest, time.monotonic() - start)
        return slowest * 1000

    def during(self, what):
        """The polite ones' turn while the attack goes on; then what must hold in any."""
        ack, answer = self.polite.run(), self.slowest_answer()
        peak = self.status("VmHWM")
        print(f"{what}: polite ack p99 {self.before:.0f} ms before, {ack:.0f} ms during; slowest "
              f"answer {self.ask_before:.0f} and {answer:.0f} ms; memory at most "
              f"{peak / MIB:.0f} MiB", flush=True)
        self.assertLess(peak, MEMORY_MAX)
        self.assertIsNone(self.server.process.poll())
        self.assertEqual(self.server.count("log:activity node:docket-load-*"),
                         self.polite.sent)

    def connect(self, port="ingest"):
        connection = socket.create_connection(getattr(self.server, port),
                                              timeout=driver.ANSWER_SECONDS)
        self.addCleanup(connection.close)
        return connection

    # --- what nobody should send ------------------------------------------------------------------

    def test_malformed_frames_and_lines_are_refused_and_nobody_else_notices(self):
        server = self.begin()
        garbage = self.spawn("docket-load", "garbage", "--server",
                             f"127.0.0.1:{server.ingest[1]}", "--frames", FRAMES, "--seed", SEED)
        self.during(f"{FRAMES:,} malformed frames and lines")
        output, _ = garbage.communicate()
        print(output.decode().strip(), flush=True)
        self.assertEqual(garbage.returncode, 0, output)
        self.during("after them")

    # --- who holds a connection -------------------------------------------------------------------

    def test_idle_senders_cost_little_and_stay_connected(self):
        count = 10_000 if FULL else 1000
        # As most systems have it; the server must raise its own.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 512), hard))
        server = self.begin()
        self.assertGreaterEqual(allow_descriptors(count + 500), count + 500,
                                "the hard limit of open files is too low for this test")
        before = self.status("VmRSS")
        connections = []
        for number in range(count):
            connections.append(self.connect())
            connections[-1].sendall(HELLO if number % 2 else b"\n")
        self.wait_until(lambda: self.metric("docket_ingest_connections") >= count)
        each = (self.status("VmRSS") - before) / count
        print(f"{each / 1024:.1f} KiB for each idle sender", flush=True)
        self.during(f"{count:,} idle senders")
        self.assertGreaterEqual(self.metric("docket_ingest_connections"), count)
        connections[0].sendall(json.dumps(event(log="late")).encode() + b"\n")
        answers = connections[0].makefile("rb")
        while json.loads(answers.readline())["durable"] < 2:
            pass
        self.assertEqual(server.count("log:late"), 1)

    def test_more_senders_than_configured_are_closed_and_recorded(self):
        server = self.begin(LIMITS + "ingest_connections = 60\n")
        held = [self.connect() for _ in range(60)]
        for connection in held:
            connection.sendall(b"\n")
        self.wait_until(lambda: self.metric("docket_ingest_connections") == 60)
        for _ in range(20):
            refused = self.connect()
            self.assertEqual(refused.recv(100), b"")
        self.wait_until(lambda: server.count("log:docket verb:REJECT") > 0)
        for connection in held:
            connection.sendall(json.dumps(event(log="held")).encode() + b"\n")
            with connection, connection.makefile("rb") as answers:
                while json.loads(answers.readline())["durable"] < 2:
                    pass
        self.wait_until(lambda: self.metric("docket_ingest_connections") == 0)
        self.assertEqual(server.count("log:held"), 60)
        self.during("more senders than configured, before")

    def test_a_byte_a_second_keeps_nobody_out(self):
        each = 400 if FULL else 100
        allow_descriptors(8 * each + 500)
        self.begin()
        head = b"GET /api/v1/count?q=" + b"a" * 1000
        slow = (
            ("ingest", b"", HELLO + PING * 100),
            ("ingest", HELLO, PING * 100),
            # The head of a batch frame of 12 MB, whose body never comes.
            ("ingest", HELLO, bytes.fromhex("0000b800 03 00 0000") + bytes(1000)),
            ("ingest", HELLO + bytes.fromhex("0000b800 03 00 0000") + b"\1" * 56, b"\1" * 1000),
            ("ingest", b"", json.dumps(event(reason="r" * 250)).encode() * 4),
            ("ingest", b'{"payload":{"a":"' + b"a" * 5000, b"a" * 1000),
            ("http", b"", head),
            ("http", b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
                     b"Content-Length: 16777216\r\n\r\n", b"[" + b" " * 1000),
        )
        connections = []
        for port, first, rest in slow:
            for _ in range(each):
                connection = self.connect(port)
                connection.sendall(first)
                connection.setblocking(False)
                connections.append((connection, rest))
        with Background(lambda over: drip(connections, over)):
            status, _ = self.server.post([event(log="polite-post")])
            self.assertEqual(status, 200)
            self.during(f"{len(connections):,} connections with a byte a second")

    def test_who_does_not_read_is_not_read_from(self):
        each = 40 if FULL else 10
        self.begin(events=EVENTS)
        stuck = []
        line = b'{"verb":"EDIT"}\n' * 1000
        for data in (PING * 1000, line):
            for _ in range(each):
                connection = self.connect()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.sendall(HELLO if data is not line else b"\n")
                connection.setblocking(False)
                stuck.append((connection, data))
        readers = []
        for target in ("/api/v1/export?q=log:campaign", "/api/v1/tail?q=log:campaign&n=10000"):
            for _ in range(6):
                connection = self.connect("http")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                readers.append(connection)

        def push(over):
            while not over.wait(0.01):
                for connection, data in stuck:
                    with contextlib.suppress(OSError):
                        connection.send(data)

        with Background(push):
            self.during(f"{len(stuck)} senders that read no answer, {len(readers)} slow readers")

    def test_a_flood_leaves_the_polite_their_share(self):
        server = self.begin()
        floods = [self.spawn("docket-load", "send", "--server", f"127.0.0.1:{server.ingest[1]}",
                             "--events", 10**9, "--mix", MIX, "--protocol", protocol)
                  for protocol in (("native", "ndjson") if FULL else ("native",))]
        self.wait_until(lambda: server.count(f"log:{FLOODED}") > 50000)
        self.during("a flood without a pause")
        for flood in floods:
            self.assertIsNone(flood.poll(), "the flood was over")

    # --- who asks too much ------------------------------------------------------------------------

    def test_questions_that_want_too_much_are_refused_or_answered_within_bounds(self):
        server = self.begin(events=EVENTS)
        deep = "(" * 5000 + "verb:EDIT" + ")" * 5000
        wide = " OR ".join(f"target:{n}" for n in range(4000 if FULL else 600))
        questions = (
            ("facets", {"by": "target,actor,ip,session,request,reason", "top": 1_000_000}),
            ("histogram", {"every": "1s"}),
            ("histogram", {"every": "1m", "by": "target"}),
            ("search", {"limit": 1_000_000_000}),
            ("search", {"limit": 10_000, "q": "payload:e"}),
            ("count", {"q": deep}),
            ("count", {"q": wide}),
            ("count", {"q": "payload:" + "a" * 60000}),
        )
        statuses = []

        def ask(kind, parameters):
            target = f"/api/v1/{kind}?" + urllib.parse.urlencode(parameters)
            for _ in range(2):
                status, headers, body = server.request("GET", target)
                statuses.append((status, headers["Content-Type"], body[:200]))

        threads = [threading.Thread(target=ask, args=question)
                   for question in questions for _ in range(8 if FULL else 3)]
        for thread in threads:
            thread.start()
        self.during(f"{len(threads)} at a time that ask too much")
        for thread in threads:
            thread.join()
        for status, kind, body in statuses:
            self.assertIn(status, (200, 400, 413, 429, 431, 503), body)
            if status not in (200, 431):
                self.assertEqual(kind, "application/problem+json", body)
        self.assertEqual(len(statuses), 2 * len(threads))
        self.during("after them")

    def test_nobody_works_on_a_question_whose_asker_has_gone(self):
        server = self.begin(events=4 * EVENTS)
        # Too short for an index to rule anything out: every diff is taken apart.
        target = "/api/v1/count?" + urllib.parse.urlencode({"q": f"log:{FLOODED} new:q*"})
        start = self.cpu_seconds()
        for _ in range(10):
            self.assertEqual(server.request("GET", target)[0], 200)
        one = (self.cpu_seconds() - start) / 10
        count = 250
        start = self.cpu_seconds()
        for _ in range(count):
            asker = self.connect("http")
            asker.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            asker.close()
        self.wait_until(lambda: self.metric("docket_http_connections") <= 1)
        spent = self.cpu_seconds() - start
        print(f"{count} questions of {one:.3f} s each, asked by who has gone: {spent:.1f} s",
              flush=True)
        self.assertLess(spent, count * one * 2 / 3)
        self.during("after questions without an asker")

    def test_exports_beyond_the_limit_wait_their_turn_and_each_is_complete(self):
        server = self.begin(events=EVENTS)
        count = server.count(f"log:{FLOODED}")
        faults, refused = [], []

        def export():
            while True:
                status, headers, body = server.request(
                    "GET", f"/api/v1/export?q=log:{FLOODED}&format=csv")
                if status != 429:
                    if (status, body.count(b"\r\n")) != (200, count + 1):
                        faults.append((status, body[:100]))
                    return
                refused.append(int(headers["Retry-After"]))
                time.sleep(random.random())

        threads = [threading.Thread(target=export) for _ in range(100 if FULL else 30)]
        for thread in threads:
            thread.start()
        self.during(f"{len(threads)} exports at a time")
        for thread in threads:
            thread.join()
        self.assertEqual(faults, [])
        self.assertGreater(len(refused), 0)

    def test_a_slow_reader_gets_all_its_rows_through_retirement(self):
        retiring = LIMITS.replace("[segment]", "[segment]\nrows = 10000")
        retiring += '[retention]\ninterval = "200ms"\n'
        server = self.begin(retiring, events=EVENTS)
        count = server.count(f"log:{FLOODED}")
        reader = self.connect("http")
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        reader.sendall(f"GET /api/v1/export?q=log:{FLOODED}&format=ndjson HTTP/1.0\r\n"
                       f"Host: localhost\r\n\r\n".encode())
        answer = reader.recv(1000)
        (self.directory / "data.toml").write_text(
            retiring + f'[retention.{FLOODED}]\nmax_bytes = "64KiB"\n')
        server.process.send_signal(signal.SIGHUP)
        # All that is sealed goes; the segment in progress stays.
        self.wait_until(lambda: server.get("/api/v1/retention")["plan"] == [] and
                        server.count(f"log:{FLOODED}") < count)
        self.during("a reader that holds what is retired")
        while chunk := reader.recv(1 << 20):
            answer += chunk
        rows = answer.split(b"\r\n\r\n", 1)[1].splitlines()
        self.assertEqual(len(rows), count)
        # An export is in the order of time, and one event in a hundred comes late.
        seqs = sorted(json.loads(row)["seq"] for row in rows)
        self.assertTrue(seqs == list(range(1, count + 1)))


if __name__ == "__main__":
    unittest.main()
