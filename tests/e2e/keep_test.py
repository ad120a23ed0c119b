"""What is kept, what is retired, and that both are exactly what was asked for."""

import json
import time
import unittest

import driver

FLAGS = ("--events", "60000", "--end", "2026-05-01T00:00:00Z")
SEGMENTS = "[segment]\nrows = 8000\n"
# Nothing happens by itself within the test.
AT_REST = SEGMENTS + '[retention]\ninterval = "1d"\n'
RETIRING = (SEGMENTS + '[retention]\ninterval = "100ms"\n'
            '[retention.activity]\nmax_bytes = "512KiB"\n')


class Keep(driver.EndToEnd):
    def test_answers_are_exact_before_and_after_sealing_restart_and_retirement(self):
        check = ("check", *FLAGS, "--filters", "60")
        with driver.Server(self.directory / "data", AT_REST) as server:
            driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", *FLAGS)
            driver.load(*check, "--server", server.url)
            driver.load(*check, "--data", server.data)
            self.assertEqual(server.stop(), 0)
        with driver.Server(self.directory / "data", RETIRING) as server:
            self.wait_for_retirement(server)
            checked = driver.load(*check, "--server", server.url)
            self.assertNotIn(" 0 of them retired", checked.stdout)
            driver.load(*check, "--data", server.data)
            retired = server.get("/api/v1/search", q="log:docket verb:RETIRE")["events"]
            self.assertTrue(all("activity" in json.dumps(e) for e in retired), retired)
            self.assertGreater(len(retired), 0)

    def test_a_dry_run_tells_what_then_happens(self):
        with driver.Server(self.directory / "data", AT_REST) as server:
            driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", *FLAGS)
            # A plan knows sealed segments only, and sealing goes on behind the acknowledgement.
            self.wait_until(lambda: len(list(server.data.glob("logs/activity/*.hot"))) <= 1)
            self.assertEqual(server.stop(), 0)
        planning = RETIRING.replace("100ms", "1d")
        with driver.Server(self.directory / "data", planning) as server:
            plan = server.get("/api/v1/retention")
            self.assertEqual(server.stop(), 0)
        with driver.Server(self.directory / "data", RETIRING) as server:
            self.wait_for_retirement(server)
            first = {log["log"]: log["first_seq"] for log in server.get("/api/v1/stats")["logs"]}
        planned = [p for p in plan["plan"] if p["log"] == "activity"]
        self.assertEqual(len(planned), len(plan["plan"]))
        self.assertEqual(first["activity"], max(p["last_seq"] for p in planned) + 1)

    def wait_for_retirement(self, server):
        deadline = time.monotonic() + 60
        while server.get("/api/v1/retention")["plan"] or self.retired(server) == 0:
            self.assertLess(time.monotonic(), deadline, "nothing is retired")
            time.sleep(0.05)

    def retired(self, server):
        return sum(log["retired_events"] for log in server.get("/api/v1/stats")["logs"])


if __name__ == "__main__":
    unittest.main()
