"""The completeness ledger: a node that is silent or lacks a batch is named, and so is the gap."""

import contextlib
import csv
import io
import json
import socket
import struct
import threading
import time
import unittest

import driver

BATCH = 3  # the type of a batch's frame
HEADER = struct.Struct("<IBBHQ")


class DroppingProxy:
    """Stands before the ingest port and loses batch `dropped` of whatever goes through it.

    Nothing of what the server answers comes back once that has happened, so that the sender goes
    on for as long as its window lasts and repairs nothing.
    """

    def __init__(self, server, dropped):
        self.server = server
        self.dropped = dropped
        self.has_dropped = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for each in self.sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # also for the threads that read from them
            each.close()

    def _accept(self):
        try:
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection(self.server)
                self.sockets += [client, server]
                for pump, ends in ((self._requests, (client, server)),
                                   (self._answers, (server, client))):
                    threading.Thread(target=self._guarded, args=(pump, *ends), daemon=True).start()
        except OSError:
            pass  # closed

    @staticmethod
    def _guarded(pump, source, sink):
        try:
            pump(source, sink)
        except (OSError, EOFError):
            pass  # closed

    def _requests(self, client, server):
        server.sendall(read_exactly(client, 4))  # the preface
        while True:
            head = read_exactly(client, HEADER.size)
            size, kind = HEADER.unpack(head)[:2]
            body = read_exactly(client, size)
            if kind == BATCH and struct.unpack_from("<Q", body)[0] == self.dropped:
                self.has_dropped.set()
                continue
            server.sendall(head + body)

    def _answers(self, server, client):
        while data := server.recv(65536):
            if self.has_dropped.is_set():
                continue
            client.sendall(data)


def read_exactly(source, count):
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


class LedgerTest(driver.EndToEnd):
    CONFIG = '[senders]\nsilent_after = "1s"\n'

    def row(self, log="activity"):
        rows = [r for r in self.server.get("/api/v1/nodes")["nodes"]
                if r["log"] == log and r["node"].startswith("import")]
        return rows[0] if rows else None

    def test_batch_7_is_dropped_and_the_node_and_the_gap_are_named(self):
        self.server = self.start(config=self.CONFIG)
        events = self.directory / "events.ndjson"
        # Rows enough for some tens of batches.
        with events.open("w") as file:
            for number in range(120_000):
                file.write(json.dumps(driver.event(target=("Thing", str(number)))) + "\n")
        proxy = DroppingProxy(self.server.ingest, dropped=7)
        self.addCleanup(proxy.close)
        sender = self.spawn("docket", "import", events, "--server", self.server.url, "--ingest",
                            f"127.0.0.1:{proxy.port}")
        self.wait_until(proxy.has_dropped.is_set)
        self.wait_until(lambda: (self.row() or {}).get("missing"))
        row = self.row()
        self.assertEqual(row["complete_to"], 6)
        self.assertEqual(row["state"], "connected")
        self.assertEqual(row["address"], "127.0.0.1")
        self.assertEqual(row["way"], "native")
        gap = row["missing"][0]
        self.assertEqual((gap["epoch"], gap["first"]), (row["epoch"], 7))
        self.assertGreaterEqual(gap["last"], 8)
        self.assertFalse(gap["final"])

        sender.kill()
        sender.wait()
        proxy.close()
        self.wait_until(lambda: self.row()["state"] == "silent")
        self.assertGreaterEqual(self.row()["silent_seconds"], 1)
        shown = self.server.docket("nodes", "-o", "csv")
        line = next(r for r in csv.DictReader(io.StringIO(shown.stdout))
                    if r["node"] == row["node"] and r["log"] == "activity")
        self.assertEqual((line["state"], line["complete_to"]), ("silent", "6"))
        self.assertRegex(line["missing"], r"^7-\d+$")
        self.assertRegex(shown.stderr, rf"node {row['node']}, log activity, epoch {row['epoch']}: "
                                       r"batch 7 to \d+ not stored since ")

        # The same file again makes the same batches, and now they all come.
        self.server.docket("import", events)
        row = self.row()
        self.assertEqual(row["missing"], [])
        self.assertEqual(self.server.count("log:activity"), 120_000)
        self.assertEqual(self.server.docket("nodes").stderr, "")

    def test_every_way_of_sending_is_heard_of(self):
        self.server = self.start(config=self.CONFIG)
        self.server.post([driver.event()])
        with socket.create_connection(self.server.ingest) as lines:
            lines.sendall(json.dumps(driver.event()).encode() + b"\n")
            self.assertIn(b"durable", lines.recv(100))
            nodes = {r["node"]: r for r in self.server.get("/api/v1/nodes")["nodes"]
                     if r["log"] == "activity"}
            self.assertEqual((nodes["127.0.0.1"]["state"], nodes["127.0.0.1"]["way"]),
                             ("connected", "ndjson"))
            self.assertEqual((nodes["http"]["state"], nodes["http"]["way"],
                              nodes["http"]["address"]), ("away", "http", "127.0.0.1"))
        self.wait_until(lambda: self.server.get("/api/v1/nodes")["nodes"][0]["state"] == "away")
        time.sleep(1.1)  # silent_after; nothing says of these that they owe anything
        self.assertEqual({r["state"] for r in self.server.get("/api/v1/nodes")["nodes"]
                          if r["log"] == "activity"}, {"away"})
        # A directory is read without knowing who is connected.
        self.assertNotIn("state", json.loads(
            self.server.docket_data("nodes", "-o", "json").stdout)["nodes"][0])


if __name__ == "__main__":
    unittest.main()
