"""/metrics: in the form that Prometheus takes, with numbers that are those of what was done."""

import importlib.util
import json
import pathlib
import re
import shutil
import subprocess
import unittest

import driver

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "tools" / "packaging"

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


def parse(text):
    """{family: (type, {(sample, labels): value})}; anything out of form is an error."""
    families, current = {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            if current in families:
                raise AssertionError(f"{current} is given twice")
            families[current] = ["", {}]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name != current or kind not in ("gauge", "counter", "histogram"):
                raise AssertionError(line)
            families[name][0] = kind
        else:
            match = SAMPLE.match(line)
            if not match:
                raise AssertionError(f"no sample: {line}")
            name, labels, value = match.groups()
            found = LABEL.findall(labels or "")
            whole = sum(len(k) + len(v) + 3 for k, v in found) + len(found) - 1
            if labels and whole != len(labels):
                raise AssertionError(f"labels: {line}")
            kind = families[current][0]
            ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            if name not in [current + end for end in ends]:
                raise AssertionError(f"{name} stands under {current}")
            key = (name, tuple(sorted(found)))
            if key in families[current][1]:
                raise AssertionError(f"twice: {line}")
            families[current][1][key] = float(value)
    return families


class MetricsTest(driver.EndToEnd):
    def metrics(self):
        status, headers, body = self.server.request("GET", "/metrics")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        return parse(body.decode())

    def value(self, name, **labels):
        for family in self.metrics().values():
            found = family[1].get((name, tuple(sorted(labels.items()))))
            if found is not None:
                return found
        raise AssertionError(f"there is no {name} {labels}")

    def send_in_every_way(self):
        broken = {**driver.event(), "verb": ""}
        self.server.post([driver.event(), broken], {"Idempotency-Key": "one"})
        self.server.post([driver.event(), broken], {"Idempotency-Key": "one"})
        self.server.send_ndjson([driver.event(), driver.event(), "{"])
        self.server.exchange(b"<13>1 2026-05-01T14:22:03Z web-1 su 1 ID47 - hello\n")
        record = {"timeUnixNano": "1777638123250000000", "body": {"stringValue": "hello"}}
        status, _, _ = self.server.request(
            "POST", "/v1/logs",
            json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}),
            {"Content-Type": "application/json"})
        self.assertEqual(status, 200)
        events = self.directory / "events.ndjson"
        events.write_text("".join(json.dumps(driver.event()) + "\n" for _ in range(10)))
        self.server.docket("import", events)

    def test_each_way_is_counted_with_what_was_rejected_and_why(self):
        self.server = self.start()
        self.send_in_every_way()
        for way, events in (("http", 1), ("ndjson", 2), ("syslog", 1), ("otlp", 1), ("native", 10)):
            self.assertEqual(self.value("docket_events_accepted_total", way=way), events, way)
        self.assertEqual(
            self.value("docket_events_rejected_total", way="http", reason="verb"), 1)
        self.assertEqual(
            self.value("docket_events_rejected_total", way="ndjson", reason="form"), 1)
        self.assertEqual(self.value("docket_http_posts_duplicate_total"), 1)
        self.assertEqual(self.value("docket_ready"), 1)
        self.assertEqual(self.value("docket_log_gaps", log="activity"), 0)

    def test_the_text_is_in_form_and_named_by_the_rules(self):
        self.server = self.start()
        self.send_in_every_way()
        for name, (kind, samples) in self.metrics().items():
            self.assertEqual(name.endswith("_total"), kind == "counter", name)
            if kind != "histogram":
                continue
            self.assertTrue(name.endswith("_seconds"), name)
            series = {}
            for (sample, labels), value in samples.items():
                rest = tuple(label for label in labels if label[0] != "le")
                if sample.endswith("_bucket"):
                    series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
            for rest, buckets in series.items():
                self.assertEqual(buckets, sorted(buckets), name)
                self.assertEqual([v for _, v in buckets], sorted(v for _, v in buckets), name)
                self.assertEqual(buckets[-1][0], float("inf"))
                self.assertEqual(buckets[-1][1], samples[(name + "_count", rest)])
        commits = self.value("docket_log_commits_total", log="activity")
        self.assertEqual(self.value("docket_log_sync_duration_seconds_count", log="activity"),
                         commits)
        self.assertEqual(self.value("docket_log_commit_duration_seconds_count", log="activity"),
                         self.value("docket_log_batches_total", log="activity"))
        self.assertEqual(self.value("docket_log_duplicates_total", log="activity"), 1)

    def named_in(self, name):
        """The text of a file that is installed, and the metrics of ours that it names."""
        text = (PACKAGING / name).read_text()
        return text, set(re.findall(r"\b(?:docket|process)_[a-z_]+", text))

    def test_dashboard_and_alert_rules_name_only_what_there_is(self):
        self.server = self.start()
        families = self.metrics()
        known = set(families)
        for name, (kind, _) in families.items():
            if kind == "histogram":
                known |= {name + end for end in ("_bucket", "_sum", "_count")}
        dashboard, shown = self.named_in("grafana-dashboard.json")
        alerts, watched = self.named_in("prometheus-alerts.yml")
        self.assertGreater(len(shown), 30)
        self.assertEqual(shown - known, set())
        self.assertEqual(watched - known, set())

        board = json.loads(dashboard)
        panels = board["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels]
        self.assertEqual(len(set(places)), len(places), "two panels in one place")
        for panel in panels:
            self.assertEqual(panel["type"] == "row", not panel.get("targets"), panel["title"])

        # Of the YAML, what can be said without a reader for it: each rule is whole.
        rules = alerts.split("      - alert: ")[1:]
        names = [rule.split("\n")[0] for rule in rules]
        self.assertEqual(len(set(names)), len(names))
        for name, rule in zip(names, rules):
            self.assertRegex(name, r"^Docket[A-Za-z]+$")
            for part in ("        expr: ", "          severity: ", "          summary: "):
                self.assertIn(part, rule, name)
            self.assertNotIn("\t", rule)

    @unittest.skipUnless(shutil.which("promtool"), "promtool (package prometheus) is not installed")
    def test_promtool_takes_the_alert_rules(self):
        rules = PACKAGING / "prometheus-alerts.yml"
        checked = subprocess.run(["promtool", "check", "rules", rules], capture_output=True,
                                 timeout=driver.ANSWER_SECONDS)
        self.assertEqual(checked.returncode, 0, checked.stderr)

    @unittest.skipUnless(importlib.util.find_spec("yaml"), "there is no reader of YAML")
    def test_the_alert_rules_are_yaml(self):
        import yaml
        groups = yaml.safe_load((PACKAGING / "prometheus-alerts.yml").read_text())["groups"]
        self.assertGreater(len(groups[0]["rules"]), 10)

    @unittest.skipUnless(shutil.which("promtool"), "promtool (package prometheus) is not installed")
    def test_promtool_finds_nothing_wrong(self):
        self.server = self.start()
        self.send_in_every_way()
        checked = subprocess.run(["promtool", "check", "metrics"], capture_output=True,
                                 input=self.server.request("GET", "/metrics")[2],
                                 timeout=driver.ANSWER_SECONDS)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))


if __name__ == "__main__":
    unittest.main()
