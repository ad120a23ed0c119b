"""TLS through the real programs, against openssl as the other side."""

import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import unittest
import xml.etree.ElementTree

import access_test
import driver

TOKENS = access_test.token("admin", "admin")
BEARER = access_test.bearer("admin")


def make(directory, name, signer=None):
    """NAME.crt and NAME.key: an authority, or signed by one."""
    base = directory / name
    command = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
               "-nodes", "-subj", f"/CN={name}", "-keyout", f"{base}.key"]
    if signer is None:
        command += ["-x509", "-days", "2", "-out", f"{base}.crt"]
        subprocess.run(command, check=True, capture_output=True)
        return
    subprocess.run([*command, "-out", f"{base}.csr"], check=True, capture_output=True)
    (directory / f"{name}.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    subprocess.run(
        ["openssl", "x509", "-req", "-in", f"{base}.csr", "-days", "2", "-CAcreateserial",
         "-CA", directory / f"{signer}.crt", "-CAkey", directory / f"{signer}.key",
         "-extfile", directory / f"{name}.ext", "-out", f"{base}.crt"],
        check=True, capture_output=True)


@unittest.skipUnless(shutil.which("openssl"), "needs the program openssl")
class TlsCase(driver.EndToEnd):
    def setUp(self):
        super().setUp()
        for name, signer in (("ca", None), ("server", "ca"), ("client", "ca"), ("other", None)):
            make(self.directory, name, signer)

    def config(self, more="", tokens=TOKENS):
        return (f'[tls]\ncertificate = "{self.directory}/server.crt"\n'
                f'key = "{self.directory}/server.key"\n{more}{tokens}')

    def start(self, more="", tokens=TOKENS):
        server = driver.Server(self.directory / "data", config=self.config(more, tokens))
        self.addCleanup(server.__exit__)
        self.url = f"https://127.0.0.1:{server.http[1]}"
        return server

    def context(self):
        return ssl.create_default_context(cafile=self.directory / "ca.crt")

    def get(self, server, path, context=None):
        connection = http.client.HTTPSConnection(
            *server.http, timeout=driver.ANSWER_SECONDS, context=context or self.context())
        self.addCleanup(connection.close)
        connection.request("GET", path, headers=BEARER)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def s_client(self, address, *arguments):
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{address[1]}",
             "-CAfile", self.directory / "ca.crt", *arguments],
            input=b"", capture_output=True, timeout=driver.ANSWER_SECONDS)

    def docket(self, *arguments, check=True, ca="ca", url=None):
        return driver.run("docket", *arguments, "--server", url or self.url, "--ca",
                          self.directory / f"{ca}.crt", check=check,
                          environment={"DOCKET_TOKEN": access_test.SECRETS["admin"]})


class Tls(TlsCase):
    def test_questions_posts_exports_and_tails_go_under_tls(self):
        server = self.start()
        connection = http.client.HTTPSConnection(*server.http, timeout=driver.ANSWER_SECONDS,
                                                 context=self.context())
        self.addCleanup(connection.close)
        events = [access_test.event(1), {**access_test.event(2), "payload": {"x": "y" * 40_000}}]
        connection.request("POST", "/api/v1/events", json.dumps(events * 20), BEARER)
        self.assertEqual(json.loads(connection.getresponse().read())["accepted"], 40)
        connection.request("GET", "/api/v1/count", headers=BEARER)
        self.assertEqual(json.loads(connection.getresponse().read())["count"], 40)
        self.assertEqual(self.docket("count").stdout, "40\n")
        exported = self.docket("export", "-o", "ndjson").stdout
        self.assertEqual(exported.count("\n"), 40)
        self.assertEqual(self.docket("tail", "-n", "3", "-o", "ndjson").stdout.count("\n"), 3)

    def test_only_tls_1_2_and_1_3_with_sound_suites(self):
        server = self.start()
        for address in (server.http, server.ingest):
            for version in ("-tls1_2", "-tls1_3"):
                met = self.s_client(address, version)
                self.assertEqual(met.returncode, 0, met.stderr)
                self.assertIn(b"Verify return code: 0", met.stdout)
            weak = ("-cipher", "ALL:@SECLEVEL=0")
            for refused in (("-tls1_1", *weak), ("-tls1", *weak),
                            ("-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"),
                            ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"),
                            ("-tls1_2", "-cipher", "NULL:aNULL:@SECLEVEL=0"),
                            ("-tls1_3", "-groups", "ffdhe8192")):
                met = self.s_client(address, *refused)
                self.assertNotEqual(met.returncode, 0, refused)
                self.assertIn(b"Cipher is (NONE)", met.stdout)
            met = self.s_client(address, "-tls1_2")
            self.assertNotIn(b"TLS session ticket:", met.stdout)

    @unittest.skipUnless(shutil.which("sslscan"), "needs the program sslscan")
    def test_a_scan_finds_nothing_weak(self):
        server = self.start()
        for address in (server.http, server.ingest):
            scan = subprocess.run(["sslscan", "--no-colour", "--xml=-", f"127.0.0.1:{address[1]}"],
                                  capture_output=True, check=True, timeout=driver.ANSWER_SECONDS)
            found = xml.etree.ElementTree.fromstring(scan.stdout)
            spoken = {protocol.get("type") + protocol.get("version")
                      for protocol in found.iter("protocol") if protocol.get("enabled") == "1"}
            self.assertEqual(spoken, {"tls1.2", "tls1.3"})
            suites = [cipher.get("cipher") for cipher in found.iter("cipher")]
            self.assertGreaterEqual(len(suites), 6)
            for suite in suites:
                self.assertRegex(suite, "^(TLS_|ECDHE-ECDSA-)(AES|CHACHA20).*(GCM|POLY1305)")
            self.assertEqual({group.get("name") for group in found.iter("group")},
                             {"secp256r1 (NIST P-256)", "secp384r1 (NIST P-384)", "x25519"})
            for one, good in (("renegotiation", "supported"), ("compression", "supported"),
                              ("heartbleed", "vulnerable")):
                for element in found.iter(one):
                    self.assertEqual(element.get(good), "0", one)

    def test_what_comes_in_the_clear_is_told_so(self):
        server = self.start()
        connection = http.client.HTTPConnection(*server.http, timeout=driver.ANSWER_SECONDS)
        self.addCleanup(connection.close)
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 400)
        self.assertIn("https", json.loads(answer.read())["detail"])
        refused = self.docket("count", url=f"http://127.0.0.1:{server.http[1]}", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("https", refused.stderr)
        with socket.create_connection(server.http, timeout=driver.ANSWER_SECONDS) as garbage:
            garbage.sendall(b"\x00" * 200)
            garbage.shutdown(socket.SHUT_WR)
            while garbage.recv(4096):
                pass
        self.assertEqual(self.get(server, "/healthz")[0], 200)

    def test_the_inspector_checks_whom_it_speaks_to(self):
        server = self.start()
        refused = self.docket("count", ca="other", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertEqual(refused.stderr.count("\n"), 1)
        self.assertIn("certificate is not accepted", refused.stderr)
        self.assertEqual(self.docket("count", url=f"https://localhost:{server.http[1]}").stdout,
                         "0\n")

    def test_clients_show_a_certificate_where_one_is_asked_for(self):
        server = self.start(f'client_ca = "{self.directory}/ca.crt"\n')
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            self.get(server, "/healthz")
        known = self.context()
        known.load_cert_chain(self.directory / "client.crt", self.directory / "client.key")
        self.assertEqual(self.get(server, "/healthz", known)[0], 200)
        stranger = self.context()
        stranger.load_cert_chain(self.directory / "other.crt", self.directory / "other.key")
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            self.get(server, "/healthz", stranger)
        shown = self.docket("count", "--cert", self.directory / "client.crt", "--key",
                            self.directory / "client.key")
        self.assertEqual(shown.stdout, "0\n")
        self.assertEqual(self.docket("count", check=False).returncode, 1)

    def test_a_reload_takes_a_new_certificate_or_keeps_the_old_one(self):
        server = self.start()

        def serials():
            ders = [ssl.get_server_certificate(address) for address in (server.http, server.ingest)]
            return [subprocess.run(["openssl", "x509", "-noout", "-serial"], input=der.encode(),
                                   capture_output=True, check=True).stdout for der in ders]

        first = serials()
        self.assertEqual(first[0], first[1])
        make(self.directory, "new", "ca")
        shutil.copy(self.directory / "new.crt", self.directory / "server.crt")
        server.process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: "configuration is unchanged" in server.log())
        self.assertEqual(serials(), first)
        shutil.copy(self.directory / "new.key", self.directory / "server.key")
        server.process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: "configuration reloaded" in server.log())
        second = serials()
        self.assertEqual(second[0], second[1])
        self.assertNotEqual(second, first)
        self.assertEqual(self.get(server, "/healthz")[0], 200)

    def test_beyond_loopback_both_ports_take_tls_and_tokens(self):
        def checked(config, *arguments):
            path = self.directory / "check.toml"
            path.write_text(config)
            return driver.run("docketd", "--config", path, "--check-config", *arguments,
                              check=False)

        for listener in ("http", "ingest"):
            everywhere = f'{listener} = "0.0.0.0:7490"\n'
            for config, missing in (("", "no TLS and no token"), (TOKENS, "no TLS"),
                                    (self.config(tokens=""), "no token")):
                refused = checked(everywhere + config)
                self.assertEqual(refused.returncode, 2)
                self.assertIn(missing, refused.stderr)
                self.assertIn(listener, refused.stderr)
                self.assertEqual(checked(everywhere + config, "--insecure").returncode, 0)
            self.assertEqual(checked(everywhere + self.config()).returncode, 0)
            missing = checked(everywhere + self.config().replace("server.key", "none.key"))
            self.assertEqual(missing.returncode, 2)
            self.assertIn("none.key", missing.stderr)


class TlsSenders(TlsCase):
    """The ingest port, whose senders begin with TLS."""

    def connect(self, server, context=None):
        plain = socket.create_connection(server.ingest, timeout=driver.ANSWER_SECONDS)
        self.addCleanup(plain.close)
        tls = (context or self.context()).wrap_socket(plain, server_hostname="localhost")
        self.addCleanup(tls.close)
        return tls

    def count(self, query):
        return int(self.docket("count", query).stdout)

    @staticmethod
    def lines(first, last):
        return "".join(
            json.dumps({**access_test.event(1), "target": {"type": "List", "id": str(n)}}) + "\n"
            for n in range(first, last + 1)).encode()

    def test_lines_are_stored_and_answered(self):
        server = self.start()
        tls = self.connect(server)
        self.assertEqual(tls.version(), "TLSv1.3")
        answers = tls.makefile("rb")
        token = json.dumps({"token": access_test.SECRETS["admin"]}).encode() + b"\n"
        tls.sendall(token + self.lines(1, 3000))
        durable = 0
        while durable < 3001:
            durable = json.loads(answers.readline())["durable"]
        tls.unwrap()
        self.assertEqual(self.count(""), 3000)

    def test_openssl_delivers_lines(self):
        server = self.start()
        process = subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-no_ign_eof", "-verify_return_error",
             "-connect", f"localhost:{server.ingest[1]}", "-CAfile", self.directory / "ca.crt"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        token = json.dumps({"token": access_test.SECRETS["admin"]}).encode() + b"\n"
        process.stdin.write(token + self.lines(1, 10))
        process.stdin.flush()
        while json.loads(process.stdout.readline())["durable"] < 11:
            pass
        process.stdin.close()
        process.wait(timeout=driver.ANSWER_SECONDS)
        self.assertEqual(self.count(""), 10)

    def test_a_file_is_imported_through_an_https_server(self):
        server = self.start()
        path = self.directory / "events.ndjson"
        path.write_bytes(self.lines(1, 5000))
        self.assertIn("5000 events stored", self.docket("import", path).stdout)
        again = self.docket("import", path, "--ingest", f"127.0.0.1:{server.ingest[1]}")
        self.assertIn("5000 known", again.stdout)
        self.assertEqual(self.count(""), 5000)
        refused = self.docket("import", path, "--ingest", f"127.0.0.1:{server.ingest[1]}",
                              ca="other", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("certificate is not accepted", refused.stderr)

    def test_the_load_generator_sends_and_asks(self):
        server = self.start()
        token = self.directory / "token"
        token.write_text(access_test.SECRETS["admin"])
        token.chmod(0o600)
        to = ("--server", f"127.0.0.1:{server.ingest[1]}", "--http", f"127.0.0.1:{server.http[1]}",
              "--token-file", token, "--events", 20_000)
        tls = ("--tls", "--ca", self.directory / "ca.crt")
        for protocol in ("native", "ndjson"):
            sent = json.loads(driver.load("send", *to, *tls, "--protocol", protocol,
                                          "--json").stdout)
            self.assertEqual(sent["durable"], 20_000)
            self.assertGreater(sent["runs"][0]["server"]["cpu_seconds"], 0)
        self.assertEqual(self.count(""), 40_000)
        refused = driver.load("send", *to, "--protocol", "ndjson", check=False)
        self.assertEqual(refused.returncode, 1)
        half = driver.load("send", *to, *tls, "--cert", token, check=False)
        self.assertEqual(half.returncode, 2)
        self.assertIn("--key", half.stderr)

    def test_syslog_is_taken_where_no_token_is_asked_for(self):
        server = self.start(tokens="")
        tls = self.connect(server)
        for number in range(1, 101):
            message = f"<13>1 2026-05-01T10:00:00Z host app - - - number {number}"
            tls.sendall(f"{len(message)} {message}".encode())
        tls.unwrap()  # waits for the server's farewell, which comes after the commit
        self.assertEqual(self.count("log:syslog"), 100)

    def test_what_comes_in_the_clear_is_told_so_and_recorded(self):
        server = self.start()
        for begins, told in ((self.lines(1, 1), b"this port speaks TLS"),
                             (b"<13>1 - - - - - - x\n", b"error: this port speaks TLS\n")):
            with socket.create_connection(server.ingest, timeout=driver.ANSWER_SECONDS) as plain:
                plain.sendall(begins)
                self.assertIn(told, plain.makefile("rb").read())
        recorded = "log:docket verb:REJECT reason:\"in the clear, where TLS is spoken\""
        self.wait_until(lambda: self.count(recorded) > 0)
        self.assertEqual(self.count(""), 0)
        for address in (server.http, server.ingest):
            socket.create_connection(address, timeout=driver.ANSWER_SECONDS).close()  # a probe
        with self.assertRaises(ssl.SSLError):
            self.get(server, "/healthz", ssl.create_default_context())  # trusts it not

        def metrics():
            return self.get(server, "/metrics")[1].decode()

        # Of those that are open one is of the question.
        self.wait_until(lambda: "\ndocket_http_connections 1\n" in metrics())
        self.wait_until(lambda: "\ndocket_ingest_connections 0\n" in metrics())
        self.assertIn("\ndocket_ingest_tls_failures_total 2\n", metrics())
        self.assertIn("\ndocket_http_tls_failures_total 1\n", metrics())

    def test_garbage_within_tls_harms_nobody(self):
        server = self.start()
        token = self.directory / "token"
        token.write_text(access_test.SECRETS["admin"])
        token.chmod(0o600)
        sent = driver.load("garbage", "--server", f"127.0.0.1:{server.ingest[1]}", "--frames",
                           4000, "--token-file", token, "--tls", "--ca",
                           self.directory / "ca.crt")
        self.assertRegex(sent.stdout, r"[1-9]\d* refused, [1-9]\d* acknowledged")
        self.assertEqual(self.get(server, "/readyz")[0], 200)

    def test_senders_show_a_certificate_where_one_is_asked_for(self):
        server = self.start(f'client_ca = "{self.directory}/ca.crt"\n', tokens="")
        known = self.context()
        known.load_cert_chain(self.directory / "client.crt", self.directory / "client.key")
        tls = self.connect(server, known)
        tls.sendall(self.lines(1, 1))
        self.assertEqual(json.loads(tls.makefile("rb").readline()), {"durable": 1})
        for name in (None, "other"):
            stranger = self.context()
            if name:
                stranger.load_cert_chain(self.directory / f"{name}.crt",
                                         self.directory / f"{name}.key")
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                refused = self.connect(server, stranger)
                refused.sendall(self.lines(2, 2))
                if not refused.recv(1):
                    raise ConnectionError
        own = ("--cert", self.directory / "client.crt", "--key", self.directory / "client.key")
        self.assertEqual(self.docket("count", *own).stdout, "1\n")
        path = self.directory / "events.ndjson"
        path.write_bytes(self.lines(3, 4))
        self.assertIn("2 events stored", self.docket("import", path, *own).stdout)

    def test_a_certificate_stands_for_a_token_until_a_reload_takes_it_away(self):
        print_ = subprocess.run(
            ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in",
             self.directory / "client.crt"], check=True, capture_output=True, text=True)
        fingerprint = print_.stdout.strip().partition("=")[2]
        own = ('[[token]]\nname = "hosts"\nrole = "writer"\nlogs = ["syslog"]\n'
               f'certificate = "{fingerprint}"\n')
        authority = f'client_ca = "{self.directory}/ca.crt"\n'
        server = self.start(authority, TOKENS + own)
        make(self.directory, "stranger", "ca")

        def send(text, name="client"):
            files = ("-cert", self.directory / f"{name}.crt", "-key",
                     self.directory / f"{name}.key")
            subprocess.run(
                ["openssl", "s_client", "-quiet", "-no_ign_eof", "-verify_return_error",
                 "-connect", f"localhost:{server.ingest[1]}", "-CAfile",
                 self.directory / "ca.crt", *files],
                input=text.encode(), capture_output=True, timeout=driver.ANSWER_SECONDS)

        shown = ("--cert", self.directory / "client.crt", "--key", self.directory / "client.key")

        def count(query):
            return int(self.docket("count", query, *shown).stdout)

        send("<13>one\n<13>two\n")
        self.wait_until(lambda: count("log:syslog") == 2)
        send(self.lines(1, 1).decode())  # of NDJSON, into a log that is not the token's
        known = self.context()
        known.load_cert_chain(self.directory / "client.crt", self.directory / "client.key")
        refused = b'docket_events_rejected_total{way="ndjson",reason="log"} 1\n'
        self.wait_until(lambda: refused in self.get(server, "/metrics", known)[1])
        self.assertEqual(count("log:activity"), 0)
        send("<13>three\n", "stranger")
        unknown = 'log:docket verb:REJECT "the certificate stands for none"'
        self.wait_until(lambda: count(unknown) > 0)
        (self.directory / "data.toml").write_text(self.config(authority, TOKENS))
        server.process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: "configuration reloaded" in server.log())
        send("<13>four\n")
        self.wait_until(lambda: count("log:docket verb:REJECT") > 1)
        self.assertEqual(count("log:syslog"), 2)
        self.assertEqual(server.stop(), 0)
        (self.directory / "data.toml").write_text(self.config(tokens=TOKENS + own))
        checked = driver.run("docketd", "--config", self.directory / "data.toml",
                             "--check-config", check=False)
        self.assertEqual(checked.returncode, 2)
        self.assertIn("tls.client_ca", checked.stderr)

    def test_a_stream_that_is_cut_leaves_its_last_message_out(self):
        server = self.start(tokens="")
        tls = self.connect(server)
        tls.sendall(b"<13>1 - - - - - - whole\n<13>1 - - - - - - transfer 10 of")
        tls.shutdown(socket.SHUT_WR)  # of TCP: Python leaves TLS's farewell out
        while tls.recv(4096):
            pass
        self.wait_until(lambda: self.count("log:syslog") == 1)


if __name__ == "__main__":
    unittest.main()
