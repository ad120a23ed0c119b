"""Questions, asked of a server and of its directory: the same answers, exact and complete."""

import contextlib
import csv
import io
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import threading
import unittest
import urllib.parse

import driver
from driver import event

EVENTS = 30000
FLAGS = ("--events", str(EVENTS), "--end", "2026-05-01T00:00:00Z")
QUERIES = (
    "",
    "verb:DELETE",
    "actor.kind:admin -outcome:success",
    "target.type:Contact since:2026-04-24 until:2026-04-25",
    "ip:10.0.0.0/8 verb:EDIT,CREATE",
    "changed:hourly_limit",
    "log:campaign verb:BOUNCED",
    '"welcome" OR reason:mfa_mismatch',
)


class Ask(driver.EndToEnd):
    """One server with generated events, shared by the tests; none of them changes it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls()
        driver.EndToEnd.setUp(cls.shared)
        cls.addClassCleanup(cls.shared.doCleanups)
        cls.server = cls.shared.start(config=driver.SMALL_SEGMENTS)
        driver.load("send", "--server", f"127.0.0.1:{cls.server.ingest[1]}", *FLAGS)

    def setUp(self):
        pass

    def same(self, *arguments):
        """The output of a command, which must be the same for the directory and the server."""
        by_server = self.server.docket(*arguments)
        by_data = self.server.docket_data(*arguments)
        self.assertEqual(by_server.stdout, by_data.stdout, arguments)
        return by_data.stdout

    def test_a_directory_and_its_server_answer_alike(self):
        for query in QUERIES:
            for form in ("table", "ndjson", "csv"):
                self.same("search", query, "--limit", 20, "-o", form)
            self.same("search", query, "--limit", 20, "--oldest", "-o", "ndjson")
            self.same("count", query)
            self.same("facets", query, "--top", 5)
            self.same("facets", query, "--by", "verb,actor.kind,reason", "-o", "json")
            self.same("histogram", query, "--every", "1d")
            self.same("export", query, "-o", "csv")
            for form in ("syslog", "cef"):
                exported = self.same("export", query, "-o", form)
                self.assertEqual(exported.count("\n"), self.server.count(query))
                newest = self.same("search", query, "--limit", 20, "-o", form).splitlines()
                oldest = self.same("search", query, "--limit", 20, "--oldest", "-o", form)
                self.assertEqual(oldest.splitlines(), exported.splitlines()[:20])
                self.assertEqual(newest, exported.splitlines()[:-21:-1])
                self.assertEqual(self.same("tail", query, "-n", 20, "-o", form).splitlines(),
                                 newest[::-1])
        self.same("show", "activity:17")
        for form in ("syslog", "cef"):
            self.assertEqual(self.same("show", "activity:17", "-o", form),
                             self.same("export", "log:activity seq:17", "-o", form))

    def test_exports_over_http_say_what_they_are(self):
        for form, media in (("syslog", "text/plain; charset=utf-8"),
                            ("cef", "text/plain; charset=utf-8"),
                            ("ndjson", "application/x-ndjson")):
            status, headers, body = self.server.request(
                "GET", f"/api/v1/export?q=verb:DELETE&format={form}")
            self.assertEqual((status, headers["Content-Type"]), (200, media))
            self.assertIn(f'filename="docket-export.{form}"', headers["Content-Disposition"])
            self.assertEqual(body.count(b"\n"), self.server.count("verb:DELETE"))
        status, _, body = self.server.request("GET", "/api/v1/export?format=xml")
        self.assertEqual(status, 400)
        self.assertEqual(json.loads(body)["detail"],
                         "format: must be csv, ndjson, syslog or cef")

    def test_a_directory_and_its_server_list_the_same_segments(self):
        # The system's own log grows with every read of the server, these two included.
        listed = [[line for line in ask("segments").stdout.splitlines()
                   if not line.startswith("docket ")]
                  for ask in (self.server.docket, self.server.docket_data)]
        self.assertGreater(len(listed[0]), 4)
        # Columns are as wide as their widest cell, which may be one of that log.
        self.assertEqual(*[[line.split() for line in lines] for lines in listed])

    def test_counts_pages_exports_and_facets_agree(self):
        for query in QUERIES:
            count = int(self.same("count", query).split()[0].replace(",", ""))
            self.assertEqual(count, self.server.count(query))
            lines = self.same("export", query, "-o", "ndjson").splitlines()
            self.assertEqual(len(lines), count, query)
            rows = list(csv.reader(io.StringIO(self.same("export", query, "-o", "csv"))))
            self.assertEqual(len(rows) - 1, count, query)
            facets = self.server.get("/api/v1/facets", q=query, by="verb", top=1000)
            values = facets["facets"]["verb"]["values"]
            self.assertEqual(sum(v["count"] for v in values), count)
            buckets = self.server.get("/api/v1/histogram", q=query, every="1d")["buckets"]
            self.assertEqual(sum(b["count"] for b in buckets), count)

    def test_json_is_one_document_however_many_events(self):
        count = self.server.count()
        records = self.same("search", "--limit", EVENTS * 2, "-o", "ndjson").splitlines()
        self.assertEqual(len(records), count)
        page = self.same("search", "--limit", EVENTS * 2, "-o", "json")
        self.assertEqual(json.loads(page), {"events": [json.loads(line) for line in records],
                                            "next": None, "gaps": []})
        part = self.server.docket("search", "--limit", 10001, "-o", "json")
        self.assertEqual(len(json.loads(part.stdout)["events"]), 10001)
        self.assertEqual(part.stderr, f"next: {json.loads(part.stdout)['next']}\n")
        # One page of the API comes as the API has it.
        _, _, body = self.server.request("GET", "/api/v1/search?limit=7&tz=UTC")
        self.assertEqual(self.same("search", "--limit", 7, "--utc", "-o", "json").encode(),
                         body + b"\n")
        tail = json.loads(self.same("tail", "-n", 7, "-o", "json"))
        self.assertEqual(tail["events"], json.loads(body)["events"][::-1])
        nothing = {"events": [], "next": None, "gaps": []}
        for command in (("search", "verb:NONE"), ("tail", "verb:NONE"), ("tail", "-n", 0)):
            self.assertEqual(json.loads(self.same(*command, "-o", "json")), nothing, command)

    def test_records_of_facets_say_on_stderr_what_was_cut(self):
        for form in ("csv", "ndjson"):
            cut = self.server.docket("facets", "--by", "verb,outcome", "--top", 2, "-o", form)
            self.assertRegex(cut.stderr, r"^docket: verb: [0-9]+ more values, [0-9,]+ in all")
            whole = self.server.docket("facets", "--by", "verb,outcome", "--top", 999, "-o", form)
            self.assertEqual(whole.stderr, "")

    def test_a_facet_value_counts_what_choosing_it_finds(self):
        for query in ("", "actor.kind:user", "since:2026-04-20"):
            fields = "verb,actor,actor.kind,target.type,target,ip,outcome,log,reason"
            facets = self.server.get("/api/v1/facets", q=query, by=fields, top=5)["facets"]
            for field, facet in facets.items():
                counts = {v["value"]: v["count"] for v in facet["values"]}
                for value in facet["values"]:
                    if field == "verb" and value["value"] in ("EDIT", "UPDATE"):
                        # They are counted as sent and find each other.
                        value["count"] = counts["EDIT"] + counts["UPDATE"]
                    term = f'{field}:"{value["value"]}"'
                    chosen = f"({query}) AND {term}" if query else term
                    self.assertEqual(self.server.count(chosen), value["count"], chosen)

    def test_a_walk_by_cursor_yields_every_event_once_in_order(self):
        query, cursor, seen = "verb:CREATE", "", []
        while cursor is not None:
            more = {"cursor": cursor} if cursor else {}
            page = self.server.get("/api/v1/search", q=query, limit=97, **more)
            seen += [(e["ts"], e["seq"], e.get("log", "")) for e in page["events"]]
            cursor = page["next"]
        self.assertEqual(len(seen), self.server.count(query))
        self.assertEqual(len(set(seen)), len(seen))
        times = [ts.rstrip("Z").ljust(30, "0") for ts, _, _ in seen]
        self.assertEqual([t[:19] for t in times], sorted((t[:19] for t in times), reverse=True))

    def test_the_inspectors_cursor_goes_on_where_the_page_ended(self):
        first = self.server.docket("search", "verb:CREATE", "--limit", 10, "-o", "ndjson")
        cursor = first.stderr.split()[-1]
        second = self.server.docket("search", "verb:CREATE", "--limit", 10, "--cursor", cursor,
                                    "-o", "ndjson")
        both = self.server.docket("search", "verb:CREATE", "--limit", 20, "-o", "ndjson")
        self.assertEqual(first.stdout + second.stdout, both.stdout)

    def test_a_syntax_error_shows_the_column_and_exits_2(self):
        for command in ("search", "count", "facets"):
            wrong = self.server.docket(command, "verb:EDIT (actor:1", check=False)
            self.assertEqual(wrong.returncode, 2)
            self.assertIn("^", wrong.stderr)
            self.assertEqual(wrong.stdout, "")
        unknown = self.server.docket("count", "verv:EDIT", check=False)
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("verb", unknown.stderr)
        status, _, body = self.server.request(
            "GET", "/api/v1/count?" + urllib.parse.urlencode({"q": "verv:EDIT"}))
        self.assertEqual(status, 400)
        self.assertIn("verb", json.loads(body)["detail"] + body.decode())

    def test_what_is_not_there_is_one_clear_line(self):
        for arguments in (
            ("count", "--data", self.shared.directory / "none"),
            ("count", "--data", "/etc"),
            ("count", "--server", "http://127.0.0.1:1"),
            ("show", "activity:999999999", "--data", self.server.data),
        ):
            wrong = driver.run("docket", *arguments, check=False)
            self.assertEqual(wrong.returncode, 1, arguments)
            self.assertEqual(wrong.stdout, "")
            self.assertEqual(len(wrong.stderr.strip().splitlines()), 1, wrong.stderr)

    def test_reading_a_directory_writes_nothing_to_it(self):
        def state():
            return {p: (p.stat().st_size, p.stat().st_mtime_ns)
                    for p in self.server.data.rglob("*") if "/docket/" not in str(p)}

        before = state()
        for arguments in (("count", ""), ("facets", ""), ("search", "verb:DELETE"),
                          ("verify", "--deep"), ("stats",),
                          ("histogram", "--every", "1d")):
            self.server.docket_data(*arguments)
        self.assertEqual(state(), before)

    def test_whole_days_are_those_of_the_asked_time_zone(self):
        # Clocks in Berlin jump an hour ahead on that day.
        for zone, hours in (("UTC", 24), ("Europe/Berlin", 23)):
            query = "on:2026-03-29"
            buckets = self.server.get("/api/v1/histogram", q=query, every="1h", tz=zone)["buckets"]
            self.assertLessEqual(len(buckets), hours)
            answer = self.server.get("/api/v1/count", q=query, tz=zone)["count"]
            self.assertEqual(sum(b["count"] for b in buckets), answer)

    def test_stats_segments_nodes_and_help_say_something(self):
        self.assertIn("activity", self.server.docket("segments").stdout)
        self.assertIn("activity", self.server.docket("stats").stdout)
        self.assertIn("docket-load-0", self.server.docket("nodes").stdout)
        self.assertIn("verb", driver.run("docket", "help", "query").stdout)
        self.server.docket("retention", "--dry-run")


    def test_every_example_of_the_query_language_can_be_asked(self):
        text = driver.run("docket", "help", "query").stdout
        lines = [line for line in text.splitlines() if re.match(r"    \S", line)]
        examples = [re.split(r"  +", line.strip())[0] for line in lines]
        self.assertGreater(len(examples), 25)
        for example in examples:
            self.server.docket_data("count", example)
        self.assertEqual(self.server.docket_data("count", "*").stdout,
                         self.server.docket_data("count").stdout)


class Render(driver.EndToEnd):
    def test_cells_that_a_spreadsheet_would_run_are_defused(self):
        server = self.start()
        server.send_ndjson([event(target=("List", "=1+1", "@cmd"), reason="+x")])
        defused = server.docket("export", "-o", "csv").stdout
        self.assertIn(",'=1+1,'@cmd,", defused)
        self.assertIn(",'+x,", defused)
        raw = server.docket("export", "-o", "csv", "--raw").stdout
        self.assertIn(",=1+1,@cmd,", raw)

    def test_control_characters_never_reach_a_terminal(self):
        server = self.start()
        server.send_ndjson([event(target=("List", "1", "a\x1b[31m\u202eb"))])
        for command in (("search",), ("search", "-o", "json"), ("show", "activity:1"),
                        ("export", "-o", "ndjson"), ("facets", "--by", "target")):
            output = server.docket(*command).stdout
            self.assertNotIn("\x1b", output, command)
            self.assertNotIn("\u202e", output, command)

    def shown_on_a_terminal(self, server, *arguments):
        """The exit code and every byte that reaches the terminal."""
        master, terminal = pty.openpty()
        running = subprocess.Popen([driver.BIN / "docket", *arguments, "--server", server.url],
                                   stdout=terminal, stderr=terminal, stdin=subprocess.DEVNULL,
                                   env={**os.environ, "TERM": "xterm", "NO_COLOR": "1",
                                        "PAGER": "cat", "COLUMNS": "100"})
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while chunk := os.read(master, 65536):
                shown += chunk
        os.close(master)
        return running.wait(), shown.decode()

    def test_hostile_text_acts_on_no_terminal_in_any_command_and_format(self):
        corpus = json.loads((pathlib.Path(__file__).parents[1] /
                             "query/hostile_corpus.json").read_text())
        server = self.start()
        events = [event(text[:20], (text, text, text), (text, text, text), reason=text,
                        session=text[:40], request=text[:40],
                        payload={text: text, "changes": [{"field": text, "old": text, "new": 1}]})
                  for text in (hostile["text"][:60] for hostile in corpus)]
        answers = server.send_ndjson(events)
        stored = server.count()
        self.assertEqual(stored, len(corpus) - sum("error" in answer for answer in answers))
        self.assertGreater(stored, len(corpus) // 2)
        acting = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f"
                            "\u2028-\u202e\u2066-\u2069]")
        commands = [(*command, "-o", form)
                    for command in (("search",), ("tail",), ("facets",),
                                    ("histogram", "--every", "1d", "--by", "target"))
                    for form in ("table", "json", "ndjson", "csv")]
        commands += [(command, "-o", form) for command in ("search", "tail", "export")
                     for form in ("syslog", "cef")]
        commands += [("export", "-o", form) for form in ("csv", "ndjson")]
        commands += [("show", f"activity:{seq}") for seq in range(1, stored + 1)]
        for command in commands:
            code, shown = self.shown_on_a_terminal(server, *command)
            self.assertEqual(code, 0, (command, shown[-500:]))
            self.assertIsNone(acting.search(shown), command)
        for hostile in corpus:
            text = hostile["text"].replace("\0", "\x01")
            code, shown = self.shown_on_a_terminal(server, "count", f"verb:(\"{text}")
            self.assertEqual(code, 2)
            self.assertIsNone(acting.search(shown), hostile["name"])
        for form in ("syslog", "cef"):
            self.assertEqual(server.docket("export", "-o", form).stdout.count("\n"), stored)

    def test_out_writes_through_what_is_no_file(self):
        server = self.start()
        server.send_ndjson([event(), event()])
        plain = server.docket("export", "-o", "ndjson").stdout
        # As /dev/stdout, which a mistake here would replace.
        link = self.directory / "stdout"
        link.symlink_to("/proc/self/fd/1")
        through = server.docket("export", "-o", "ndjson", "--out", link)
        self.assertEqual(through.stdout, plain)
        self.assertIn("rows 2", through.stderr)
        missing = self.directory / "no" / "file"
        failed = server.docket("export", "--out", missing, check=False)
        self.assertEqual(failed.returncode, 1)
        self.assertIn(f"docket: {missing}: ", failed.stderr)

    def test_progress_is_not_drawn_among_data_on_a_terminal(self):
        server = self.start()
        server.send_ndjson([event(), event()])
        plain = server.docket("export", "-o", "ndjson").stdout
        master, terminal = pty.openpty()
        subprocess.run([driver.BIN / "docket", "export", "-o", "ndjson", "--server", server.url],
                       stdout=terminal, stderr=terminal, stdin=subprocess.DEVNULL, check=True,
                       env={**os.environ, "TERM": "xterm"}, timeout=driver.ANSWER_SECONDS)
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while chunk := os.read(master, 65536):
                shown += chunk
        os.close(master)
        lines = shown.decode().replace("\r\n", "\n")
        self.assertTrue(lines.startswith(plain), lines)
        self.assertNotIn("exported", lines)

    def test_payloads_that_few_parsers_take_are_shown_byte_for_byte(self):
        """The grammar allows them, so they are stored, and must not hide what else was found."""
        server = self.start()
        payloads = [
            '{"n":18446744073709551616}',
            '{ "n" : 1e400, "x": [-9223372036854775809] }',
            '{"changes":[{"field":"x","old":"\\ud83d","new":1E400}]}',
            '{"before":{"a":"\\udc00"},"after":{"a":1.50}}',
            "{}",
        ]
        events = [json.dumps({**event(session="s"), "payload": 0})
                  .replace('"payload": 0', f'"payload": {payload}') for payload in payloads]
        answers = server.send_ndjson(events)
        self.assertEqual(answers, [{"durable": len(payloads)}])
        names = [f"activity:{seq + 1}" for seq in range(len(payloads))]
        for ask in (server.docket, server.docket_data):
            for form in ("table", "json", "ndjson", "csv", "syslog", "cef"):
                for command in (("search", "--oldest"), ("tail",), ("history", "Contact:1"),
                                ("story", "activity:1")):
                    text = ask(*command, "-o", form).stdout
                    if form in ("json", "ndjson"):
                        for payload in payloads:
                            self.assertIn(f'"payload":{payload}', text, command)
            for name, payload in zip(names, payloads):
                for form in ("json", "ndjson"):
                    self.assertIn(f'"payload":{payload}', ask("show", name, "-o", form).stdout)
                self.assertIn(f"payload   {payload}", ask("show", name).stdout)
            shown = ask("show", "activity:3").stdout
            self.assertIn('- "\\ud83d"', shown)
            self.assertIn("+ 1E400", shown)
            self.assertIn('a: "\\udc00" -> 1.50', ask("history", "Contact:1").stdout)
            self.assertEqual(ask("count", "changed:x").stdout, "1\n")
            self.assertEqual(ask("count", "changed:a").stdout, "1\n")
            ask("report", "failures")
        exported = self.directory / "events.ndjson"
        exported.write_text(server.docket("export", "-o", "ndjson").stdout)
        other = self.start("other")
        other.docket("import", exported)
        self.assertEqual([re.search('"payload":(.*),"node"', line).group(1) for line in
                          other.docket("search", "--oldest", "-o", "ndjson").stdout.splitlines()],
                         payloads)

    def test_words_of_the_command_line_reach_the_query(self):
        server = self.start()
        server.send_ndjson([event("CREATE"), event("UPDATE"), event("DELETE", reason="bob"),
                            event("SEND", ip="10.1.2.3")])
        for words, count in ((["-(verb:CREATE OR verb:UPDATE)"], 2), (['-"bob"'], 3),
                             (["-bob"], 3), (["-ip:10.0.0.0/8"], 3),
                             (["-bob", "-ip:10.0.0.0/8"], 2),
                             (["create"], 0), (["bob"], 1), (["export"], 0)):
            self.assertEqual(server.docket("count", *words).stdout, f"{count}\n", words)
        self.assertEqual(server.docket("count", "[verb:SEND]").stdout, "0\n")

    def test_an_object_is_followed_through_all_that_touched_it(self):
        server = self.start()
        server.send_ndjson([
            event("CREATE", ("List", "4", "News"), ts="2026-05-01T10:00:00Z"),
            event("EDIT", ("List", "4", "News"), ts="2026-05-01T11:00:00Z",
                  payload={"changes": [{"field": "title", "old": "News", "new": "Newsletter"}]}),
            event("SEND", ("Broadcast", "9", "Spring"), ts="2026-05-01T12:00:00Z",
                  related=[{"type": "List", "id": "4", "name": "Newsletter"}]),
            event("DELETE", ("List", "5", "Other"), ts="2026-05-01T13:00:00Z"),
        ])
        history = server.docket("search", "target:List:4", "--oldest").stdout
        positions = [history.index(word) for word in ("CREATE", "EDIT", "SEND")]
        self.assertEqual(positions, sorted(positions))
        self.assertNotIn("DELETE", history)
        shown = server.docket("show", "activity:2").stdout
        for word in ("title", "News", "Newsletter", "Ana Lima"):
            self.assertIn(word, shown)

    def test_the_systems_own_events_have_a_history_and_a_story(self):
        server = self.start()
        server.send_ndjson([event("EDIT", ("List", "4", "News"))])
        self.wait_until(lambda: "START" in server.docket("history", "Server:docketd").stdout)
        story = json.loads(server.docket("story", "docket:1", "-o", "json").stdout)
        names = [f"{each['log']}:{each['seq']}" for each in story["events"]]
        self.assertIn("docket:1", names)
        found = server.docket("search", "-o", "csv", story["query"]).stdout
        self.assertIn(",docket,1,", found)
        # That of another event is as it would be without a system that speaks.
        story = json.loads(server.docket("story", "activity:1", "-o", "json").stdout)
        self.assertEqual([each["log"] for each in story["events"]], ["activity"])

    def test_tail_follows_and_shows_every_event_once(self):
        server = self.start()
        server.send_ndjson([event(target=("List", "0"))])
        tail = self.spawn("docket", "tail", "target.type:List", "-n", 1, "-f", "-o", "ndjson",
                          "--server", server.url)
        seen, first, done = [], threading.Event(), threading.Event()

        def read():
            for line in tail.stdout:
                seen.append(json.loads(line)["seq"])
                first.set()
                if len(seen) == 301:
                    break
            done.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        self.assertTrue(first.wait(driver.ANSWER_SECONDS))
        for start in range(0, 300, 50):
            server.send_ndjson([event(target=("List", str(i))) for i in range(start, start + 50)])
        self.assertTrue(done.wait(driver.ANSWER_SECONDS), f"{len(seen)} of 301 events")
        self.assertEqual(seen, list(range(1, 302)))

    def follow(self, *arguments):
        """A `docket tail -f` in the background: (process, the seqs it has shown, its messages)."""
        tail = subprocess.Popen(
            [driver.BIN / "docket", "tail", "-f", "-o", "ndjson", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(tail.stderr.close)
        self.addCleanup(tail.stdout.close)
        self.addCleanup(tail.wait)
        self.addCleanup(tail.kill)
        seen, messages = [], []
        for stream, take in ((tail.stdout, lambda line: seen.append(json.loads(line)["seq"])),
                             (tail.stderr, lambda line: messages.append(line.decode()))):
            threading.Thread(target=lambda s=stream, t=take: [t(line) for line in s],
                             daemon=True).start()
        return tail, seen, messages

    def test_tail_goes_on_through_a_restart_and_from_where_it_was_interrupted(self):
        ports = driver.free_ports(2)
        server = self.start(ingest_port=ports[0], http_port=ports[1])
        server.send_ndjson([event(target=("List", str(i))) for i in range(10)])
        where = ("--server", server.url)
        tail, seen, messages = self.follow("-n", 2, *where)
        self.wait_until(lambda: seen == [9, 10])
        server.send_ndjson([event()] * 5)
        self.wait_until(lambda: len(seen) == 7)
        # A crash: events that come while nobody follows are shown when the server is back.
        server.kill()
        self.wait_until(lambda: any("trying again" in m for m in messages))
        server = self.start(ingest_port=ports[0], http_port=ports[1])
        server.send_ndjson([event()] * 5)
        self.wait_until(lambda: len(seen) == 12)
        self.wait_until(lambda: any("is back" in m for m in messages))
        tail.send_signal(signal.SIGINT)
        self.assertEqual(tail.wait(), 0)
        self.wait_until(lambda: any(m.startswith("next: --after activity:20") for m in messages))
        self.assertEqual(seen, list(range(9, 21)))
        # From any point, over HTTP and over the directory of the running server.
        server.send_ndjson([event()] * 3)
        for source in (where, ("--data", server.data)):
            _, later, _ = self.follow("--after", "activity:18", *source)
            self.wait_until(lambda: later == [19, 20, 21, 22, 23])
        wrong = server.docket("tail", "--after", "activity:1", check=False)
        self.assertEqual(wrong.returncode, 2)
        for position in ("activity", "activity:x", "Activity:1"):
            wrong = server.docket("tail", "-f", "--after", position, check=False)
            self.assertEqual(wrong.returncode, 2)
            self.assertIn("after: must be LOG:SEQ", wrong.stderr)

    def test_tail_misses_nothing_between_history_and_live(self):
        server = self.start(config=driver.SMALL_SEGMENTS)
        followed = [self.follow("--after", "activity:0", "verb:EDIT,UPDATE", *source)[1]
                    for source in (("--server", server.url), ("--data", server.data))]
        driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", "--events", 60000,
                    "--mix", "activity:1")
        expected = [json.loads(line)["seq"] for line in server.docket(
            "export", "verb:EDIT", "-o", "ndjson").stdout.splitlines()]
        self.assertGreater(len(expected), 5000)
        for seen in followed:
            self.wait_until(lambda: len(seen) >= len(expected))
            self.assertEqual(sorted(seen), sorted(expected))


class Retention(driver.EndToEnd):
    def test_retention_does_what_the_dry_run_said_and_gives_space_back(self):
        server = self.start(config=driver.SMALL_SEGMENTS)
        driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", "--events", 100000,
                    "--mix", "activity:1", "--end", "2026-05-01T00:00:00Z")
        server.stop()
        before = sum(p.stat().st_size for p in server.data.rglob("*.seg"))
        limit = '[retention.activity]\nmax_bytes = "1MiB"\n'
        server = self.start(config=driver.SMALL_SEGMENTS + limit)
        self.wait_until(lambda: server.count() < 100000)
        after = sum(p.stat().st_size for p in server.data.rglob("*.seg"))
        self.assertLess(after, before)
        self.assertGreater(server.count("log:docket"), 0)
        self.assertEqual(server.get("/api/v1/count", q="")["gaps"], [])


if __name__ == "__main__":
    unittest.main()
