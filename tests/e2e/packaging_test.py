"""The Debian package: built from the programs at hand, unpacked, and run from there."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
import unittest.mock

import driver
from driver import event

BUILD = driver.BIN.parent


def missing():
    """What keeps the package from being built here; empty if nothing does."""
    tools = ("cpack", "dpkg-deb", "dpkg-shlibdeps")
    return [tool for tool in tools if not shutil.which(tool)]


def settings(text):
    """`section.key` -> value of a configuration file, defaults that are commented out included."""
    found, section = {}, ""
    for line in text.splitlines():
        line = line.removeprefix("# ")
        if match := re.fullmatch(r"\[([a-z]+)\]", line):
            section = match[1] + "."
        elif match := re.fullmatch(r"([a-z_]+) = (\S+)", line):
            found[section + match[1]] = match[2]
    return found


@unittest.skipIf(missing(), f"not installed: {missing()}")
class Package(driver.EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="docket-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        done = subprocess.run(["cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake",
                               "-B", cls.place / "out"], cwd=cls.place, capture_output=True,
                              text=True, timeout=600)
        if done.returncode != 0:
            raise AssertionError(done.stdout[-3000:] + done.stderr[-3000:])
        (cls.deb,) = (cls.place / "out").glob("*.deb")
        cls.root = cls.place / "root"
        subprocess.run(["dpkg-deb", "-x", cls.deb, cls.root], check=True)
        subprocess.run(["dpkg-deb", "-e", cls.deb, cls.place / "control"], check=True)

    def test_it_has_what_it_should_and_nothing_else(self):
        found = {str(path.relative_to(self.root)) for path in self.root.rglob("*")
                 if not path.is_dir()}
        programs = ("docket", "docket-load", "docketd")
        wanted = {f"usr/bin/{name}" for name in programs}
        wanted |= {f"usr/share/bash-completion/completions/{name}" for name in programs}
        wanted |= {f"usr/share/zsh/vendor-completions/_{name}" for name in programs}
        wanted |= {f"usr/share/fish/vendor_completions.d/{name}.fish" for name in programs}
        wanted |= {f"usr/share/docket/{name}" for name in (
            "grafana-dashboard.json", "prometheus-alerts.yml")}
        wanted |= {f"usr/share/man/man{page}" for page in (
            "1/docket.1", "1/docket-load.1", "7/docket-query.7", "8/docketd.8")}
        wanted |= {f"usr/share/doc/docket/{name}" for name in (
            "README.md", "PROTOCOL.md", "SPOOL.md", "copyright", "examples/CMakeLists.txt",
            "examples/audit.js", "examples/audit.php", "examples/send.c")}
        wanted |= {"usr/include/docket.h", "usr/lib/pkgconfig/docket.pc"}
        wanted |= {f"usr/lib/libdocket.so{end}" for end in ("", ".0", ".0.1.0")}
        wanted |= {f"usr/lib/cmake/docket/docket{name}.cmake" for name in (
            "Config", "ConfigVersion", "Targets", "Targets-release")}
        wanted |= {"etc/docket/docket.toml", "usr/lib/systemd/system/docketd.service",
                   "usr/lib/sysusers.d/docket.conf"}
        self.assertEqual(found, wanted)
        self.assertEqual([name for name in found if (self.root / name).stat().st_size == 0], [])

    def test_its_head_names_what_it_needs(self):
        control = (self.place / "control/control").read_text()
        self.assertRegex(control, r"(?m)^Package: docket$")
        for library in ("libc6", "libssl3", "tzdata"):
            self.assertRegex(control, rf"(?m)^Depends: .*\b{library}\b")
        self.assertEqual((self.place / "control/conffiles").read_text(),
                         "/etc/docket/docket.toml\n")
        for script in ("postinst", "prerm", "postrm"):
            path = self.place / "control" / script
            self.assertEqual(path.stat().st_mode & 0o777, 0o755)
            subprocess.run(["sh", "-n", path], check=True)

    def test_its_configuration_says_every_default(self):
        file = self.root / "etc/docket/docket.toml"
        defaults = settings(driver.run("docketd", "--print-config").stdout)
        told = settings(file.read_text())
        told.pop("retention.max_age"), told.pop("retention.max_bytes")  # of the example
        own = {"data": '"/var/lib/docket"', "socket": '"/run/docket/ingest.sock"'}
        self.assertEqual(told, {**defaults, **own})
        effect = driver.run("docketd", "--config", file, "--print-config").stdout
        self.assertEqual(settings(effect), {**defaults, **own})

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_systemd_understands_its_unit(self):
        unit = self.root / "usr/lib/systemd/system/docketd.service"
        text = unit.read_text()
        self.assertIn("ExecStart=/usr/bin/docketd --config /etc/docket/docket.toml\n", text)
        # Where the program is on this machine, and no manual pages.
        here = self.directory / "docketd.service"
        here.write_text(text.replace("/usr/bin/docketd", str(self.root / "usr/bin/docketd"))
                        .replace("Documentation=man:docketd(8)\n", ""))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", here],
                              capture_output=True, text=True)
        about_us = [line for line in done.stderr.splitlines() if "docketd.service" in line]
        self.assertEqual(about_us, [])

    def test_the_server_runs_from_it_and_tells_its_manager(self):
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(str(self.directory / "notify"))
        manager.settimeout(driver.START_SECONDS)
        ingest = self.directory / "in.sock"
        process = subprocess.Popen(
            [self.root / "usr/bin/docketd", "--config", self.root / "etc/docket/docket.toml",
             "--data", self.directory / "data", "--socket", ingest, "--ingest", "127.0.0.1:0",
             "--http", "127.0.0.1:0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": str(self.directory / "notify"),
                 "WATCHDOG_USEC": "200000"})
        self.addCleanup(lambda: (process.kill(), process.wait()))

        def hear():
            return manager.recv(1000).decode().splitlines()[0]

        self.assertEqual(hear(), "READY=1")
        for _ in range(3):
            self.assertEqual(hear(), "WATCHDOG=1")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as sender:
            sender.connect(str(ingest))
            sender.sendall(json.dumps(event()).encode() + b"\n")
            self.assertEqual(sender.recv(100), b'{"durable":1}\n')
        process.send_signal(1)  # SIGHUP
        heard = [hear() for _ in range(12)]
        self.assertEqual([word for word in heard if word != "WATCHDOG=1"],
                         ["RELOADING=1", "READY=1"])
        process.terminate()
        self.assertEqual(process.wait(timeout=driver.STOP_SECONDS), 0)
        while (word := hear()) == "WATCHDOG=1":
            pass
        self.assertEqual(word, "STOPPING=1")

    def dpkg(self, root, *arguments):
        done = subprocess.run(["dpkg", f"--root={root}", "--force-depends",
                               "--force-script-chrootless", *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def serve(self, root):
        """The server of that root, as its unit starts it; its data is below the root."""
        with unittest.mock.patch.object(driver, "BIN", root / "usr/bin"):
            server = driver.Server(root / "var/lib/docket", environment={
                "DOCKET_CONFIG": str(root / "etc/docket/docket.toml"),
                "DOCKET_SOCKET": str(self.directory / "in.sock")})
        self.addCleanup(server.__exit__)
        return server

    @unittest.skipUnless(os.getuid() == 0 and shutil.which("dpkg"), "dpkg installs for root only")
    def test_dpkg_installs_upgrades_removes_and_purges_it_and_the_events_stay(self):
        root = self.directory / "root"
        for folder in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"):
            (root / folder).mkdir(parents=True)
        for file in ("var/lib/dpkg/status", "var/lib/dpkg/available"):
            (root / file).touch()
        self.dpkg(root, "--install", self.deb)
        config = root / "etc/docket/docket.toml"
        changed = config.read_text().replace("# queries = 256\n", "queries = 77\n")
        config.write_text(changed)
        server = self.serve(root)
        lines = [event(target=("Thing", str(n))) for n in range(200)]
        self.assertEqual(server.send_ndjson(lines)[-1], {"durable": 200})

        # The next version of the package, while the server of this one runs.
        tree = self.directory / "tree"
        subprocess.run(["dpkg-deb", "-R", self.deb, tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^Version: .*$", "Version: 99.0", control.read_text()))
        newer = self.directory / "newer.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, newer], check=True,
                       capture_output=True)
        self.dpkg(root, "--install", newer)
        self.assertIn("\nVersion: 99.0\n", (root / "var/lib/dpkg/status").read_text())
        self.assertEqual(config.read_text(), changed)
        self.assertIn("queries = 77\n", changed)
        self.assertEqual(server.count(), 200)
        self.assertEqual(server.stop(), 0)
        server = self.serve(root)  # as the package's script restarts it
        self.assertEqual(server.count("target.type:Thing"), 200)
        self.assertEqual(server.send_ndjson(lines)[-1], {"durable": 200})
        self.assertEqual(server.stop(), 0)

        self.dpkg(root, "--remove", "docket")
        self.assertFalse((root / "usr/bin/docketd").exists())
        self.assertEqual(config.read_text(), changed)
        self.dpkg(root, "--purge", "docket")
        self.assertFalse((root / "etc/docket").exists())
        counted = driver.run("docket", "count", "--data", root / "var/lib/docket")
        self.assertEqual(counted.stdout, "400\n")
        self.dpkg(root, "--install", self.deb)
        self.assertEqual(self.serve(root).count(), 400)


class Prefix(driver.EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="docket-prefix-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.prefix = cls.place / "opt"
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(done.stderr[-3000:])

    def build(self, *command):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              env={**os.environ,
                                   "PKG_CONFIG_PATH": str(self.prefix / "lib/pkgconfig")})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def check_example(self, program):
        """The C example, which finds the library where it was installed."""
        server = self.start()
        for place in (f"127.0.0.1:{server.ingest[1]}", f"[::1]:1,127.0.0.1:{server.ingest[1]}"):
            done = subprocess.run(
                [program, place, "example", self.directory / "spool"], capture_output=True,
                text=True, env={**os.environ, "LD_LIBRARY_PATH": str(self.prefix / "lib")})
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("2 of 2 events are durable", done.stdout)
        self.assertIn("durable as activity:3\n", done.stdout)
        self.assertEqual(server.count("verb:CREATE ip:192.0.2.7"), 2)
        self.assertEqual(server.count("verb:EDIT changed:hourly_limit"), 2)

    @unittest.skipUnless(shutil.which("cc"), "there is no C compiler")
    def test_the_example_builds_with_pkg_config(self):
        flags = self.build("pkg-config", "--cflags", "--libs", "docket").split()
        source = self.prefix / "share/doc/docket/examples/send.c"
        self.build("cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", source, "-o",
                   self.directory / "send", *flags)
        self.check_example(self.directory / "send")

    @unittest.skipUnless(shutil.which("cc"), "there is no C compiler")
    def test_the_example_builds_with_cmake(self):
        self.build("cmake", "-S", self.prefix / "share/doc/docket/examples", "-B",
                   self.directory / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.build("cmake", "--build", self.directory / "build")
        self.check_example(self.directory / "build/send")

    @unittest.skipUnless(shutil.which("nm"), "there is no nm")
    def test_the_library_shows_its_interface_and_nothing_else(self):
        shown = self.build("nm", "-D", "--defined-only", self.prefix / "lib/libdocket.so.0")
        names = {line.split()[-1].split("@")[0] for line in shown.splitlines()}
        header = (self.prefix / "include/docket.h").read_text()
        declared = set(re.findall(r"^DOCKET_API [^;]*?\b(docket_\w+)\(", header, re.M))
        self.assertGreater(len(declared), 10)
        self.assertEqual(names - {"LIBDOCKET_0"}, declared)

    def test_another_prefix_has_everything_below_it(self):
        prefix = self.prefix
        unit = (prefix / "lib/systemd/system/docketd.service").read_text()
        self.assertIn(f"ExecStart={prefix}/bin/docketd --config {prefix}/etc/docket/docket.toml\n",
                      unit)
        self.assertTrue((prefix / "etc/docket/docket.toml").is_file())


if __name__ == "__main__":
    unittest.main()
