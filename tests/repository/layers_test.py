"""The include graph is the layer rule: query -> index, engine; ingest, index -> engine."""

import re
import unittest

import sources

ALLOWED = {
    "engine": {"engine"},
    "index": {"index", "engine"},
    "query": {"query", "index", "engine"},
    "ingest": {"ingest", "engine"},
}
# Tests may hold what their mirrored folder may hold.
ASIO_FOLDERS = ("ingest/", "tools/", "tests/ingest/", "tests/tools/", "tests/support/")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def includes(path):
    """(is_ours, name) of each include of a file."""
    return [(mark == '"', name) for mark, name in INCLUDE.findall(sources.text(path) or "")]


class Layers(unittest.TestCase):
    def test_a_library_includes_only_the_layers_under_it(self):
        wrong = [
            f"{path}: {name}"
            for path in sources.of(*sources.CPP)
            if path.parts[0] in ALLOWED
            for ours, name in includes(path)
            if name.split("/")[0] in (*ALLOWED, "tools", "bench", "tests")
            if name.split("/")[0] not in ALLOWED[path.parts[0]]
        ]
        self.assertEqual(wrong, [])

    def test_asio_stays_in_ingest_and_tools(self):
        wrong = [
            f"{path}: {name}"
            for path in sources.of(*sources.CPP)
            if not str(path).startswith(ASIO_FOLDERS)
            for _, name in includes(path)
            if name.startswith(("boost/asio", "boost/beast", "asio"))
        ]
        self.assertEqual(wrong, [])

    def test_a_quoted_include_names_a_file_from_the_root(self):
        wrong = [
            f"{path}: {name}"
            for path in sources.of(*sources.CPP)
            for ours, name in includes(path)
            if ours and not (sources.ROOT / name).is_file()
        ]
        self.assertEqual(wrong, [])

    def test_no_include_cycle(self):
        graph = {
            str(path): [name for ours, name in includes(path) if ours]
            for path in sources.of(*sources.CPP)
        }
        done, cycles = set(), []

        def visit(name, trail):
            if name in trail:
                cycles.append(" -> ".join((*trail[trail.index(name):], name)))
            elif name not in done:
                for child in graph.get(name, []):
                    visit(child, (*trail, name))
                done.add(name)

        for name in graph:
            visit(name, ())
        self.assertEqual(cycles, [])

    def test_a_header_is_included_once(self):
        wrong = [
            str(path)
            for path in sources.of(".hpp", ".h")
            if not re.search(r"#(pragma once|ifndef)", sources.text(path) or "")
        ]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
