"""A backup beside a server at work, restored, is the same log."""

import json
import threading
import unittest

import driver
from driver import event

WORKING = ('[segment]\nrows = 2000\n[retention]\ninterval = "100ms"\n'
           '[retention.campaign]\nmax_bytes = "300KiB"\n')


def exported(directory, log):
    """seq -> line of a log's export."""
    lines = driver.run("docket", "export", f"log:{log}", "-o", "ndjson", "--data",
                       directory).stdout.splitlines()
    return {json.loads(line)["seq"]: line for line in lines}


class Backup(driver.EndToEnd):
    def send(self, server, log, over, sent):
        number = 0
        while not over.is_set():
            events = [event(log=log, target=("Thing", str(number + i)),
                            payload={"text": f"{number + i} " * 20}) for i in range(500)]
            answers = server.send_ndjson(events)
            if answers and answers[-1] == {"durable": len(events)}:
                number += len(events)
                sent[log] = number

    def test_backups_of_a_server_that_seals_and_retires_are_whole(self):
        server = self.start(config=WORKING)
        over, sent = threading.Event(), {"activity": 0, "campaign": 0}
        threads = [threading.Thread(target=self.send, args=(server, log, over, sent))
                   for log in sent]
        for thread in threads:
            thread.start()
        self.addCleanup(over.set)
        self.wait_until(lambda: server.count("log:docket verb:RETIRE") > 0)
        copies = []
        for number in range(5):
            acknowledged = dict(sent)
            copy = self.directory / f"copy{number}"
            done = driver.run("docket", "backup", copy, "--data", server.data, "--verify", "-o",
                              "json")
            copies.append((copy, acknowledged, json.loads(done.stdout.splitlines()[0])))
            self.wait_until(lambda: sent["campaign"] > acknowledged["campaign"] + 3000)
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(server.stop(), 0)
        final = {log: exported(server.data, log) for log in sent}
        for copy, acknowledged, report in copies:
            restored = self.directory / f"restored-{copy.name}"
            driver.run("docket", "restore", copy, restored, "--verify")
            for log, number in acknowledged.items():
                lines = exported(restored, log)
                seqs = sorted(lines)
                # Dense from the oldest that was not retired to at least the last acknowledged.
                self.assertEqual(seqs, list(range(seqs[0], seqs[-1] + 1)))
                self.assertGreaterEqual(seqs[-1], number)
                self.assertEqual(lines, exported(copy, log))
                kept = final[log].keys() & lines.keys()
                self.assertEqual({seq: lines[seq] for seq in kept},
                                 {seq: final[log][seq] for seq in kept})
            self.assertEqual(len(exported(restored, "activity")), seqs_of(restored, "activity"))
            self.assertGreater(report["files_linked"], 0)
        # The last one goes on where it was.
        before = seqs_of(restored, "activity")
        again = self.start(restored.name)
        self.assertEqual(again.count("log:activity"), before)
        self.assertEqual(again.send_ndjson([event()])[-1], {"durable": 1})
        self.assertEqual(again.count("log:activity"), before + 1)
        self.assertEqual(again.stop(), 0)
        # And the backup that it was made from is as it was.
        self.assertEqual(seqs_of(copies[-1][0], "activity"), before)

    def test_what_cannot_be_is_told_in_one_line_and_changes_nothing(self):
        server = self.start()
        server.send_ndjson([event()])
        copy = self.directory / "copy"
        driver.run("docket", "backup", copy, "--data", server.data)
        for arguments, message in (
                (("backup", copy, "--data", server.data), "is not empty"),
                (("restore", copy, copy), "is not empty"),
                (("backup", self.directory / "x", "--data", self.directory / "none"), "none"),
                (("restore", self.directory / "none", self.directory / "x"), "none")):
            done = driver.run("docket", *arguments, check=False)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn(message, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
        self.assertFalse((self.directory / "x").exists())
        self.assertEqual(driver.run("docket", "backup", self.directory / "y",
                                    check=False).returncode, 2)

    def test_damage_of_a_backup_is_found_when_it_is_restored(self):
        server = self.start(config="[segment]\nrows = 100\n")
        server.send_ndjson([event(target=("Thing", str(i))) for i in range(400)])
        self.wait_until(lambda: any(server.data.glob("logs/activity/*.seg")))
        self.assertEqual(server.stop(), 0)
        copy = self.directory / "copy"
        driver.run("docket", "backup", copy, "--data", server.data)
        segment = sorted(copy.glob("logs/activity/*.seg"))[0]
        bytes_ = bytearray(segment.read_bytes())
        bytes_[len(bytes_) // 2] ^= 0x10
        segment.unlink()  # it is a link to the store's own
        segment.write_bytes(bytes_)
        done = driver.run("docket", "restore", copy, self.directory / "back", "--verify",
                          check=False)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(driver.run("docket", "verify", "--data", server.data).returncode, 0)


def seqs_of(directory, log):
    """How many events of a log a directory has."""
    return int(driver.run("docket", "count", f"log:{log}", "--data", directory).stdout)


if __name__ == "__main__":
    unittest.main()
