"""The house is complete: sources are built, tests mirror them, folders and links are explained."""

import pathlib
import re
import subprocess
import unittest

import sources

# Tests that look at something else than one source, and what that is.
OTHER_SUBJECTS = {
    "tests/index/format_test.cpp": "index/FORMAT.md",
    "tests/ingest/protocol_document_test.cpp": "ingest/PROTOCOL.md",
    "tests/ingest/real_store_test.cpp": "ingest/server.cpp",
}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


class House(unittest.TestCase):
    maxDiff = None

    def test_every_source_is_listed_in_a_cmake_file(self):
        wrong = []
        for path in sources.of(".cpp"):
            if path.name.endswith("_fuzz.cpp"):
                continue  # found by a glob that reconfigures
            listed = False
            for folder in path.parents:
                cmake = sources.ROOT / folder / "CMakeLists.txt"
                if cmake.is_file():
                    relative = path.relative_to(folder)
                    name = re.escape(str(relative))
                    if folder == pathlib.PurePosixPath("bench"):
                        name = f"({name}|{re.escape(relative.stem)})"  # docket_bench(name …)
                    listed = re.search(rf"(^|[\s(]){name}($|[\s)])", cmake.read_text(), re.M)
                    break
            if not listed:
                wrong.append(str(path))
        self.assertEqual(wrong, [])

    def test_tests_mirror_the_sources(self):
        wrong = []
        for path in sources.of(".cpp"):
            if path.parts[0] != "tests" or not path.name.endswith("_test.cpp"):
                continue
            stem = path.name[: -len("_test.cpp")]
            mirrored = pathlib.PurePosixPath(*path.parts[1:-1]) / stem
            # Beside the sources, a test may stand for something large that the tests made.
            places = [f"{p}{s}" for p in (mirrored, path.parent / stem) for s in sources.CPP]
            places.append(OTHER_SUBJECTS.get(str(path), str(path) + " has no other subject"))
            if path.parts[1] in (*sources.LIBRARIES, "tools", "bench") and not any(
                (sources.ROOT / place).is_file() for place in places
            ):
                wrong.append(f"{path}: no {mirrored}")
        self.assertEqual(wrong, [])

    def test_every_folder_has_a_readme(self):
        folders = {*sources.LIBRARIES, "bench", "tests", "tests/fuzz", "tools"}
        folders |= {
            str(path.parent)
            for path in sources.of(".cpp")
            if path.parts[0] == "tools" and len(path.parts) == 3
        }
        wrong = [
            name for name in sorted(folders) if not (sources.ROOT / name / "README.md").is_file()
        ]
        self.assertEqual(wrong, [])

    def test_links_between_documents_lead_somewhere(self):
        wrong = []
        for path in sources.of(".md"):
            for link in LINK.findall(sources.text(path)):
                target = link.split("#")[0]
                if target and "://" not in link and not link.startswith("mailto:"):
                    if not (sources.ROOT / path.parent / target).exists():
                        wrong.append(f"{path}: {link}")
        self.assertEqual(wrong, [])

    def test_the_dev_script_does_what_its_help_lists(self):
        script = sources.ROOT / "tools/dev"
        self.assertEqual(subprocess.run(["bash", "-n", script]).returncode, 0)
        text = script.read_text()
        dispatch = text[text.index("case $command in"):]
        listed = re.findall(r"^  ([a-z]+) ", subprocess.check_output([script], text=True), re.M)
        self.assertGreater(len(listed), 5)
        for command in set(listed):
            self.assertRegex(dispatch, rf"(^|[ |]){command}( \||\))", command)

    def test_packages_are_listed_once_each_with_a_purpose(self):
        lines = (sources.ROOT / "tools/packages.txt").read_text().split("\n")
        entries = [line for line in lines if line and not line.startswith(("#", "["))]
        names = [line.split()[0] for line in entries]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual([line for line in entries if "# " not in line], [])


if __name__ == "__main__":
    unittest.main()
