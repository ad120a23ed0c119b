"""The Containerfile: what can be told of it without an engine, and, where one is, the image."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

import driver
from driver import event

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FILE = SOURCE / "tools/packaging/Containerfile"


def instructions():
    """[(stage, instruction, text)], stages counted from 0."""
    text = "\n".join(line for line in FILE.read_text().splitlines() if not line.startswith("#"))
    found, stage = [], -1
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            stage += word == "FROM"
            found.append((stage, word, " ".join(rest.split())))
    return found


def engine():
    """A program that builds images here; empty, and why, where there is none."""
    for name in ("podman", "docker"):
        if shutil.which(name):
            done = subprocess.run([name, "info"], capture_output=True, text=True)
            if done.returncode == 0:
                return name, ""
            return "", f"{name} does not work: {done.stderr.strip().splitlines()[-1:]}"
    return "", "there is neither podman nor docker"


class Containerfile(driver.EndToEnd):
    def of(self, word, stage=1):
        return [text for at, instruction, text in instructions()
                if (at, instruction) == (stage, word)]

    def one(self, word):
        (text,) = self.of(word)
        return text

    def environment(self):
        return dict(word.split("=", 1) for word in self.one("ENV").split())

    def test_both_stages_are_of_the_reference_system(self):
        self.assertEqual([text for _, word, text in instructions() if word == "FROM"],
                         ["docker.io/library/debian:12 AS build", "docker.io/library/debian:12"])

    def test_what_is_copied_is_enough_to_configure_the_package(self):
        tree = self.directory / "tree"
        for text in self.of("COPY", stage=0):
            *sources, to = text.split()
            for source in sources:
                self.assertTrue((SOURCE / source).exists(), source)
                goal = tree / to
                if (SOURCE / source).is_dir():
                    shutil.copytree(SOURCE / source, goal, dirs_exist_ok=True)
                else:
                    goal.mkdir(parents=True, exist_ok=True)
                    shutil.copy(SOURCE / source, goal)
        (built,) = [text for text in self.of("RUN", stage=0) if text.startswith("cmake ")]
        configure = built.split(" && ")[0].split()
        done = subprocess.run(configure, cwd=tree, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        config = (tree / "build/release/CPackConfig.cmake").read_text()
        self.assertIn('set(CPACK_PACKAGE_NAME "docket")', config)

    def test_it_installs_what_the_package_needs_and_a_client_for_the_health_check(self):
        self.assertIn("tools/dev deps", self.of("RUN", stage=0))
        (install,) = [text for text in self.of("RUN") if "apt-get install" in text]
        words = re.search(r"apt-get install (.*?) &&", install)[1].split()
        self.assertEqual([word for word in words if not word.startswith("-")],
                         ["curl", "/tmp/*.deb"])
        # apt takes them from the head of the package; nothing of it is named twice.
        packaging = (SOURCE / "tools/packaging/CMakeLists.txt").read_text()
        self.assertIn("set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)", packaging)
        self.assertIn(self.of("COPY")[0].split()[-1], "/tmp/")

    def test_its_user_is_not_root_and_owns_what_the_server_writes_to(self):
        user = self.one("USER")
        self.assertRegex(user, r"^[1-9]\d*:[1-9]\d*$")  # numbers, as orchestrators check them
        number = user.split(":")[0]
        made = " ".join(self.of("RUN"))
        self.assertIn(f"--uid {number}", made)
        self.assertIn(f"--gid {number}", made)
        config = (SOURCE / "tools/packaging/docket.toml").read_text()
        data = re.search(r'(?m)^data = "(.*)"$', config)[1]
        self.assertEqual(self.one("VOLUME"), data)
        owned = re.findall(r"install -d -o docket -g docket -m \d+ (\S+)", made)
        path = re.search(r'(?m)^socket = "(.*)"$', config)[1]
        self.assertEqual(sorted(owned), sorted([data, str(pathlib.Path(path).parent)]))

    def test_its_ports_are_the_servers_and_it_does_not_open_them_to_everybody(self):
        environment = self.environment()
        self.assertEqual(environment.pop("DOCKET_CONFIG"), "/etc/docket/docket.toml")
        ports = [place.rpartition(":")[2] for place in environment.values()]
        self.assertEqual(self.one("EXPOSE").split(), ports)
        defaults = driver.run("docketd", "--print-config").stdout
        for name, port in zip(("ingest", "http"), ports):
            self.assertIn(f'{name} = "127.0.0.1:{port}"\n', defaults)
            self.assertIn(f"DOCKET_{name.upper()}", environment)
        self.assertEqual(self.one("CMD"), '["docketd"]')
        refused = driver.run("docketd", "--check-config", environment=environment, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("no TLS and no token", refused.stderr)
        driver.run("docketd", "--check-config",
                   environment={**environment, "DOCKET_INSECURE": "true"})

    def test_its_health_check_asks_what_a_server_answers_without_a_token(self):
        check = self.one("HEALTHCHECK")
        (path,) = set(re.findall(r"https?://127\.0\.0\.1:7480(/\S+)", check))
        server = self.start(config='[[token]]\nname = "a"\nrole = "admin"\nsha256 = "'
                            + "0" * 64 + '"\n')
        self.assertEqual(server.request("GET", path)[0], 200)

    @unittest.skipIf(*(lambda found: (not found[0], found[1]))(engine()))
    def test_the_image_serves_as_its_user_and_keeps_its_volume(self):
        program = engine()[0]

        def run(*arguments):
            done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr[-3000:])
            return done.stdout.strip()

        name = f"docket-test-{os.getpid()}"
        run("build", "-t", name, "-f", FILE, SOURCE)
        self.addCleanup(run, "rmi", "-f", name)
        run("volume", "create", name)
        self.addCleanup(run, "volume", "rm", "-f", name)
        line = str(event()).replace("'", '"')
        for life in (1, 2):
            made = run("run", "-d", "-e", "DOCKET_INSECURE=true", "-v", f"{name}:/var/lib/docket",
                       name)

            def inside(*command):
                return run("exec", made, *command)

            self.wait_until(lambda: subprocess.run(
                [program, "exec", made, "curl", "-fs", "http://127.0.0.1:7480/readyz"],
                capture_output=True).returncode == 0)
            self.assertEqual(inside("id", "-u"), "7470")
            inside("curl", "-fsS", "--data-binary", line, "http://127.0.0.1:7480/api/v1/events")
            self.assertEqual(inside("docket", "count"), str(life))
            run("stop", made)
            self.assertEqual(run("inspect", "-f", "{{.State.ExitCode}}", made), "0")
            run("rm", made)


if __name__ == "__main__":
    unittest.main()
