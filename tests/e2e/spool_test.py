"""kill -9 of sender and server in turn: what emit() took is stored, each event once."""

import collections
import json
import os
import random
import time
import unittest

import driver

KILLS = int(os.environ.get("DOCKET_SPOOL_KILLS", "12"))
SEED = int(os.environ.get("DOCKET_SEED", time.time_ns() % 1_000_000))


class Spool(driver.EndToEnd):
    def test_no_kill_of_sender_or_server_loses_or_doubles_an_event(self):
        print(f"seed {SEED}, {KILLS} kills", flush=True)
        moments = random.Random(SEED)
        self.ports = driver.free_ports(2)
        self.ledger = self.directory / "ledger"
        self.lives = 0
        server, sender = self.revive(), self.live()
        killed = collections.Counter()
        for _ in range(KILLS):
            time.sleep(moments.uniform(0, 0.5))
            who = moments.choice(("sender", "server", "both"))
            killed[who] += 1
            if who != "server":
                self.kill(sender)
            if who != "sender":
                server.kill()
                # Sometimes it stays away, and the sender's memory is full of what waits.
                time.sleep(moments.choice((0, 0, 0.4)))
                server = self.revive()
            if who != "server":
                sender = self.live()
        self.kill(sender)
        server.wait_until_ready()
        drained = self.sender()
        self.assertEqual(drained.wait(timeout=driver.ANSWER_SECONDS), 0)
        told = drained.stdout.read().decode().split()
        counters = dict(zip(told[::2], map(int, told[1::2])))
        self.assertEqual((counters["lost"], counters["rejected"]), (0, 0))
        exported = server.docket("export", "-o", "ndjson").stdout
        stored = collections.Counter(json.loads(line)["target"]["id"]
                                     for line in exported.splitlines())
        emitted = self.ledger.read_text().split("\n")[:-1]
        self.assertEqual([one for one in emitted if stored[one] != 1], [])
        self.assertEqual([one for one, times in stored.items() if times != 1], [])
        # Killed between emit() and the ledger, a life has at most one more than it knows.
        self.assertLessEqual(len(stored), len(emitted) + self.lives)
        self.assertGreater(len(emitted), 100)
        print(f"{dict(killed)} killed, {len(emitted)} events, each stored once", flush=True)

    def revive(self):
        return self.start(ingest_port=self.ports[0], http_port=self.ports[1], wait=False)

    def live(self):
        self.lives += 1
        return self.sender(self.ledger, self.lives)

    def sender(self, *arguments):
        return self.spawn("spool_sender", self.ports[0], self.directory / "spool", *arguments)

    def kill(self, sender):
        self.assertIsNone(sender.poll(), "the sender ended by itself")
        sender.kill()
        sender.wait()


if __name__ == "__main__":
    unittest.main()
