"""Files of events: each stored once, however often and from wherever it comes."""

import json
import unittest

import driver
from driver import event


class Import(driver.EndToEnd):
    def test_an_export_can_be_imported_again(self):
        server = self.start("first")
        driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", "--events", 3000, "--end",
                    "2026-05-01T00:00:00Z")
        exported = self.directory / "export.ndjson"
        server.docket("export", "-o", "ndjson", "--out", exported)
        second = self.start("second")
        for _ in range(2):  # a second import of the same file adds nothing
            second.docket("import", exported)
            self.assertEqual(second.count(), 3000)
        again = second.docket("import", exported)
        self.assertEqual(again.stdout,
                         "0 events stored, 3000 known from an earlier import, 0 rejected\n")
        # However the server is found, the same file adds nothing.
        driver.run("docket", "import", exported, environment={"DOCKET_SERVER": second.url})
        driver.run("docket", "import", exported, "--ingest", f"127.0.0.1:{second.ingest[1]}")
        self.assertEqual(second.count(), 3000)
        checked = driver.load("check", "--server", second.url, "--events", 3000, "--end",
                              "2026-05-01T00:00:00Z", "--filters", 50)
        self.assertIn("0 mismatches", checked.stdout)

    def test_an_import_takes_what_comes_from_a_pipe_or_a_spreadsheet(self):
        server = self.start()
        server.send_ndjson([event(target=("Contact", str(i), "")) for i in range(50)])
        plain = server.docket("export", "-o", "csv").stdout
        second = self.start("second")
        marked = self.directory / "marked.csv"
        marked.write_text("\ufeff" + plain)
        piped = second.docket("import", "-", stdin=marked.read_bytes())
        self.assertEqual(piped.stdout, "50 events stored, 0 rejected\n")
        known = "0 events stored, 50 known from an earlier import, 0 rejected\n"
        self.assertEqual(second.docket("import", marked).stdout, known)
        piped = second.docket("import", "/dev/stdin", stdin=marked.read_bytes())
        self.assertEqual(piped.stdout, known)
        self.assertEqual(second.count(), 50)
        self.assertIn("is a directory", second.docket("import", self.directory, check=False).stderr)

    def test_an_event_from_the_future_is_refused_and_its_neighbours_are_imported(self):
        server = self.start()
        lines = [json.dumps(event(target=("Contact", str(i), ""))) for i in range(20)]
        lines[7] = json.dumps(event(ts="2199-01-01T00:00:00Z"))
        path = self.directory / "events.ndjson"
        path.write_text("\n".join(lines))
        for outcome in ("19 events stored", "0 events stored, 19 known from an earlier import"):
            done = server.docket("import", path, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, f"{outcome}, 1 rejected\n"))
            self.assertEqual(done.stderr,
                             f"docket: {path}:8: ts: is more than 24 h in the future\n")
            self.assertEqual(server.count(), 19)
        # Alone it is not sent, so that it can be once its time has come.
        path.write_text(lines[7])
        done = server.docket("import", path, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, "0 events stored, 1 rejected\n"))
        senders = [node["node"] for node in server.get("/api/v1/nodes")["nodes"]]
        self.assertEqual(sorted(name.split(":")[0] for name in senders), ["docketd", "import"])


if __name__ == "__main__":
    unittest.main()
