"""Senders that keep a ledger of their own: what they sent, and what was acknowledged to them."""

import contextlib
import http.client
import json
import socket
import threading

import driver

RECONNECT_SECONDS = 0.02


class Sender:
    """Sends numbered events to `log` from a thread of its own until it is told to end.

    The server may go away and come back at the same ports at any time. Event n has target
    `Thing:n`. After end(): `sent[n]` says how often event n may have been stored, `acknowledged`
    is how the server answered for event n.
    """

    def __init__(self, log, port):
        self.log = log
        self.address = ("127.0.0.1", port)
        self.sent = {}
        self.acknowledged = {}
        self.refusals = 0  # told to come again, or to go away
        self.failure = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        self._over.set()
        self._thread.join(timeout=driver.ANSWER_SECONDS)
        if self._thread.is_alive():
            raise AssertionError("a sender does not end")
        if self.failure:
            raise self.failure

    def event(self, number):
        return driver.event(log=self.log, target=("Thing", str(number)))

    def _run(self):
        try:
            while not self._over.is_set():
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self._send()
                self._over.wait(RECONNECT_SECONDS)
        except BaseException as failure:  # handed on by end()
            self.failure = failure

    def _send(self):
        raise NotImplementedError

    def faults(self, stored):
        """What is wrong with `stored`, the events of the log: a list of words, empty if nothing."""
        times = {}
        for one in stored:
            number = int(one["target"]["id"])
            times[number] = times.get(number, 0) + 1
        faults = [f"{n} was acknowledged and is not there"
                  for n in self.acknowledged if n not in times]
        faults += [f"{n} is there {count} times and was sent {self.sent.get(n, 0)} times"
                   for n, count in times.items() if count > self.sent.get(n, 0)]
        return faults


class NdjsonSender(Sender):
    """A line now and then, each on its own: what makes the smallest blocks. At least once."""

    LINES = 4  # not yet settled at a time
    INTERVAL = 0.005

    def _send(self):
        first = len(self.acknowledged) + 1  # lines are settled in order
        with socket.create_connection(self.address, timeout=driver.ANSWER_SECONDS) as connection:
            answers = connection.makefile("rb")
            durable = line = 0
            while not self._over.is_set() or durable < line:
                while line - durable < self.LINES and not self._over.is_set():
                    number = first + line
                    self.sent[number] = self.sent.get(number, 0) + 1
                    connection.sendall(json.dumps(self.event(number)).encode() + b"\n")
                    line += 1
                answer = answers.readline()
                if not answer.endswith(b"\n"):
                    return
                answer = json.loads(answer)
                if "durable" not in answer:
                    self.refusals += 1
                    return
                for number in range(first + durable, first + answer["durable"]):
                    self.acknowledged[number] = True
                durable = answer["durable"]
                self._over.wait(self.INTERVAL)


class HttpSender(Sender):
    """Three events a request under an idempotency key, again and again until answered. Once."""

    EVENTS = 3
    INTERVAL = 0.01

    def _send(self):
        connection = http.client.HTTPConnection(*self.address, timeout=driver.ANSWER_SECONDS)
        with contextlib.closing(connection):
            while not self._over.is_set():
                first = len(self.acknowledged) + 1
                numbers = range(first, first + self.EVENTS)
                self.sent.update((number, 1) for number in numbers)
                connection.request("POST", "/api/v1/events",
                                   json.dumps([self.event(number) for number in numbers]),
                                   {"Idempotency-Key": f"{self.log}-{first}"})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status in (429, 503):
                    self.refusals += 1
                    return
                told = json.loads(body)
                if answer.status != 200 or told["accepted"] != self.EVENTS:
                    raise AssertionError(f"POST: {answer.status} {body!r}")
                for i, number in enumerate(numbers):
                    # A duplicate may be answered without the seqs, long after.
                    self.acknowledged[number] = told["first_seq"] and told["first_seq"] + i
                self._over.wait(self.INTERVAL)

    def faults(self, stored):
        seqs = {int(one["target"]["id"]): one["seq"] for one in stored}
        return super().faults(stored) + [
            f"{n} was acknowledged as {seq} and is {seqs[n]}"
            for n, seq in self.acknowledged.items() if seq and seqs.get(n, seq) != seq]
