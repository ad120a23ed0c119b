"""The questions of bench/ to Docket, SQLite and PostgreSQL, over the same events: one answer."""

import pathlib
import sys
import unittest

import driver

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import peers
import postgres
import questions

EVENTS, END = 30000, "2026-05-01T00:00:00Z"


class Peers(driver.EndToEnd):
    def setUp(self):
        super().setUp()
        # Each question once and what a run needs at least: this is about the answers.
        self.addCleanup(setattr, peers, "RUN_SECONDS", peers.RUN_SECONDS)
        peers.RUN_SECONDS = 0

    @unittest.skipIf(peers.sqlite3 is None, "this Python has no sqlite3 module")
    def test_sqlite_answers_every_question_as_docket_does(self):
        self.answers_are_the_same(lambda: peers.Sqlite(self.directory))

    @unittest.skipIf(postgres.program_folder() is None, "PostgreSQL is not installed")
    def test_postgresql_answers_every_question_as_docket_does(self):
        self.answers_are_the_same(
            lambda: postgres.Postgres(self.directory, postgres.program_folder(), seconds=0))

    def answers_are_the_same(self, open_peer):
        server = self.start()
        driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", "--events", EVENTS,
                    "--end", END)
        asked = [q for q in questions.questions(server, EVENTS, END) if q.sql]
        # Q6 asks for a contact, which few events are merely related to.
        related = server.search("verb:SEND target.type:List", limit=1)[0]["related"][0]
        asked.append(questions.history("history of what is related",
                                       f"{related['type']}:{related['id']}"))
        ours = {}
        for question in asked:
            status, _, body = server.request("GET", question.target)
            self.assertEqual(status, 200, body)
            ours[question.name] = questions.docket_answer(question.kind, body)
        table = self.directory / "all.csv"
        server.docket("export", "--utc", "--raw", "-o", "csv", "--out", table)
        peer = open_peer()
        self.addCleanup(peer.remove)
        peer.load(table)
        theirs = peer.ask(asked)
        self.assertGreater(peer.disk_bytes(), EVENTS)

        self.assertEqual(len(asked), 13)
        # A question that finds nothing tells nothing; two look for what is rare in one day or week.
        empty = [name for name, answer in ours.items() if not answer]
        self.assertLessEqual(len(empty), 2, empty)
        for question in asked:
            with self.subTest(question.name):
                self.assertEqual(theirs[question.name][2], ours[question.name])


if __name__ == "__main__":
    unittest.main()
