"""What somebody deletes while nothing runs is missed: answers name it, and no seq comes again."""

import json
import shutil
import threading
import unittest

import driver
from driver import event


class Missing(driver.EndToEnd):
    def setUp(self):
        super().setUp()
        self.data = self.directory / "data"

    def fill(self, how):
        """A server that takes ten events of two logs and is ended by its method `how`."""
        with driver.Server(self.data) as server:
            for n in range(10):
                server.send_ndjson([event(reason=f"n-{n}"), event(log="orders")])
            getattr(server, how)()

    def hot(self, log):
        return next((self.data / "logs" / log).glob("*.hot"))

    def verify(self):
        done = driver.run("docket", "verify", "--data", self.data, "-o", "json", check=False)
        return done.returncode, json.loads(done.stdout)

    def gaps(self):
        """As the directory tells them that nobody serves."""
        counted = driver.run("docket", "count", "log:activity OR log:orders", "--data", self.data,
                             "-o", "json")
        return json.loads(counted.stdout)

    def expect(self, log, last):
        """The log up to `last` (None: to 10 or more) is missing, and its seqs go on behind that."""
        code, found = self.verify()
        self.assertEqual(code, 3)
        self.assertIn(f"{log}:1 to {log}:", json.dumps(found["damage"]))
        counted = self.gaps()
        self.assertEqual(counted["count"], 10, "the other log is whole")
        self.assertEqual([(gap["log"], gap["first_seq"]) for gap in counted["gaps"]], [(log, 1)])
        end = counted["gaps"][0]["last_seq"]
        self.assertTrue(end == last or (last is None and end >= 10), end)
        for _ in range(2):
            with driver.Server(self.data) as server:
                self.assertEqual(server.get("/api/v1/count", q=f"log:{log}")["gaps"],
                                 counted["gaps"])
                quarantined = "log:docket verb:QUARANTINE"
                self.wait_until(lambda: server.count(quarantined) > 0)
                self.assertEqual(server.send_ndjson([event(log=log, reason="after")])[-1],
                                 {"durable": 1})
                seqs = sorted(one["seq"] for one in server.search(f"log:{log} reason:after"))
                self.assertEqual(seqs[0], end + 1)
                self.assertEqual(len(set(seqs)), len(seqs))
                server.kill()
        self.assertEqual(self.verify()[0], 3)

    def test_a_directory_that_is_deleted_after_a_stop_takes_what_was_in_it_and_no_more(self):
        self.fill("stop")
        shutil.rmtree(self.data / "logs/orders")
        self.expect("orders", 10)

    def test_a_directory_that_is_deleted_after_a_kill_is_missed(self):
        self.fill("kill")
        shutil.rmtree(self.data / "logs/activity")
        self.expect("activity", None)

    def test_a_hot_file_that_is_deleted_after_a_stop_takes_what_was_in_it_and_no_more(self):
        self.fill("stop")
        self.hot("activity").unlink()
        self.expect("activity", 10)

    def test_a_hot_file_that_is_deleted_after_a_kill_is_missed(self):
        self.fill("kill")
        self.hot("orders").unlink()
        self.expect("orders", None)

    def test_a_kill_alone_leaves_nothing_missing(self):
        self.fill("kill")
        code, found = self.verify()
        self.assertEqual((code, found["damage"]), (0, []))
        self.assertEqual(self.gaps()["gaps"], [])
        with driver.Server(self.data) as server:
            self.assertEqual(server.count("log:activity"), 10)
            server.send_ndjson([event(reason="after")])
            self.assertEqual(server.search("reason:after")[0]["seq"], 11)

    def test_a_lost_list_and_a_lost_copy_are_damage_that_the_next_start_mends(self):
        self.fill("stop")
        for names in (("loglist.a", "loglist.b"), ("loglist.b",), ("logs/activity/manifest.a",)):
            for name in names:
                (self.data / name).unlink()
            code, found = self.verify()
            self.assertEqual(code, 3, names)
            self.assertIn(names[0], json.dumps(found["damage"]))
            with driver.Server(self.data) as server:
                if len(names) == 2:
                    told = "log:docket verb:QUARANTINE payload:list"
                    self.wait_until(lambda: server.count(told) > 0)
                server.stop()
            self.assertEqual(self.verify()[0], 0, names)

    def test_repair_writes_the_list_anew(self):
        self.fill("stop")
        for name in ("loglist.a", "loglist.b"):
            (self.data / name).unlink()
        repaired = driver.run("docket", "verify", "--repair", "--data", self.data)
        self.assertEqual(repaired.stdout.count("loglist."), 2, repaired.stdout)
        shutil.rmtree(self.data / "logs/orders")
        self.expect("orders", 10)

    def test_a_missing_index_is_a_remark(self):
        config = driver.SMALL_SEGMENTS
        with driver.Server(self.data, config=config) as server:
            driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", "--events", 60000,
                        "--mix", "activity:1", "--end", "2026-05-01T00:00:00Z")
            self.wait_until(lambda: list(self.data.rglob("*.idx")))
            server.stop()
        index = sorted(self.data.rglob("*.idx"))[0]
        index.unlink()
        code, found = self.verify()
        self.assertEqual(code, 0)
        self.assertIn(str(index), json.dumps(found["remarks"]))
        text = driver.run("docket", "verify", "--data", self.data).stdout
        self.assertIn("no damage: activity, segment", text)
        self.assertIn("no damage found", text)

    def test_readers_beside_a_server_see_nothing_missing_while_segments_begin(self):
        with driver.Server(self.data, config=driver.SMALL_SEGMENTS) as server:
            sender = threading.Thread(target=driver.load, args=(
                "send", "--server", f"127.0.0.1:{server.ingest[1]}", "--events", 150000, "--mix",
                "activity:1,campaign:1", "--end", "2026-05-01T00:00:00Z"))
            sender.start()
            looked = 0
            while sender.is_alive():
                counted = json.loads(driver.run("docket", "count", "--data", self.data, "-o",
                                                "json").stdout)
                self.assertEqual(counted["gaps"], [])
                looked += 1
            sender.join()
            self.assertGreater(looked, 0)

    def test_a_backup_carries_the_list(self):
        copy = self.directory / "copy"
        with driver.Server(self.data) as server:
            server.send_ndjson([event(log="orders")] * 3)
            driver.run("docket", "backup", copy, "--data", self.data, "--verify")
        self.data = copy
        shutil.rmtree(copy / "logs/orders")
        code, found = self.verify()
        self.assertEqual(code, 3)
        self.assertIn("orders:1 to orders:3 are missing", json.dumps(found["damage"]))


if __name__ == "__main__":
    unittest.main()
