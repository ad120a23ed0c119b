"""docket-load as a capacity harness: what it reports of real runs. It asserts no figure of time."""

import json
import unittest

import driver

END = "2026-05-01T00:00:00Z"


class Load(driver.EndToEnd):
    def send(self, server, *arguments, check=True):
        return driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", "--end", END,
                           *arguments, check=check)

    def report(self, server, *arguments):
        return json.loads(self.send(server, "--json", *arguments).stdout)

    def metric(self, server, name):
        text = server.request("GET", "/metrics")[2].decode()
        return float(next(line for line in text.splitlines() if line.startswith(name + " "))
                     .split()[1])

    def test_runs_are_reported_with_what_server_and_client_took(self):
        server = self.start(config=driver.SMALL_SEGMENTS)
        report = self.report(server, "--events", 40000, "--warm-up", 10000, "--repeat", 3, "--http",
                             f"127.0.0.1:{server.http[1]}", "--probe", self.directory, "--slice-ms",
                             20)
        self.assertEqual((report["kind"], report["format"]), ("send", 1))
        self.assertEqual((report["events"], report["durable"]), (130000, 120000))
        self.assertEqual(server.count(), 130000)
        self.assertGreater(report["machine"]["memory_bytes"], 0)
        self.assertGreater(report["disk"]["fdatasync_4k_p50_ms"], 0)
        self.assertEqual(len(report["runs"]), 3)
        for run in report["runs"]:
            self.assertEqual(run["durable"], 40000)
            self.assertIsNone(run["rate"])
            self.assertGreater(run["server"]["resident_bytes_max"], 2**20)
            self.assertGreater(run["client"]["resident_bytes_max"], 2**20)
            points = run["timeline"]["points"]
            self.assertEqual(sum(point[1] for point in points), 40000)
            self.assertEqual(sum(count for _, count in run["ack_latency_histogram_ns"]["buckets"]),
                             40000)
        rates = sorted(run["events_per_second"] for run in report["runs"])
        self.assertEqual(report["spread"]["events_per_second"],
                         {"median": rates[1], "min": rates[0], "max": rates[2]})
        self.assertEqual(report["events_per_second"], rates[1])
        self.assertEqual(report["runs"][-1]["store"]["events"], 130000)
        # All that was sealed so far is told, by whoever is asked.
        self.wait_until(lambda: self.metric(server, "docket_sealed_segments_total") >= 4)
        sealed = [s for s in server.get("/api/v1/segments")["segments"] if s["sealed"]]
        self.assertGreaterEqual(self.metric(server, "docket_sealed_segments_total"), len(sealed))
        self.assertLessEqual(sum(run["store"]["sealed_segments"] for run in report["runs"]),
                             self.metric(server, "docket_sealed_segments_total"))
        # What was sent can be made again.
        driver.load("check", "--server", server.url, "--events", report["events"], "--end",
                    report["end"], "--filters", 10)

    def test_a_rate_is_a_schedule_in_both_protocols(self):
        server = self.start()
        for protocol in ("native", "ndjson"):
            report = self.report(server, "--events", 600, "--rate", 2000, "--connections", 3,
                                 "--protocol", protocol, "--server-pid", server.process.pid)
            (run,) = report["runs"]
            self.assertEqual((run["rate"], run["durable"]), (2000, 600))
            self.assertGreaterEqual(run["seconds"], 599 / 2000)
            self.assertIsNotNone(run["send_lag_ms"])
            self.assertIsNotNone(run["server"]["written_bytes"])
            self.assertIsNone(run["store"])

    def test_text_says_the_same_for_people(self):
        server = self.start()
        text = self.send(server, "--events", 500, "--rate", 5000, "--repeat", 2, "--http",
                         f"127.0.0.1:{server.http[1]}").stdout
        for part in ("500 events durable", "sent behind time", "server ", "client ",
                     "median of 2 runs", "--events 1000 "):
            self.assertIn(part, text)

    def test_what_cannot_be_looked_at_is_an_error_before_anything_is_sent(self):
        server = self.start()
        for arguments, reason in ((("--http", "127.0.0.1:1"), "connecting to"),
                                  (("--server-pid", 2**30), "no process"),
                                  (("--probe", self.directory / "none"), "none")):
            failed = self.send(server, "--events", 10, *arguments, check=False)
            self.assertEqual(failed.returncode, 1)
            self.assertIn(reason, failed.stderr)
        self.assertEqual(server.count(), 0)
        wrong = self.send(server, "--events", 10, "--http", "nowhere", check=False)
        self.assertEqual(wrong.returncode, 2)


if __name__ == "__main__":
    unittest.main()
