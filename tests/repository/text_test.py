"""What every file keeps to: size, width, no unfinished business, no machine's own paths."""

import re
import unittest

import sources

CODE = (*sources.CPP, ".py", ".cmake", ".js", ".css", ".html", ".sh")
LINE_MAX = 100
FILE_LINES_MAX = 600
TOP_LEVEL = set(
    ".ci .clang-format .clang-tidy .gitignore CMakeLists.txt CMakePresets.json LICENSE README.md "
    "bench docs engine index ingest packaging query tests tools".split()
)


def code():
    named = [path for path in sources.tracked() if path.name in ("CMakeLists.txt", "dev", "run")]
    return [path for path in (*sources.of(*CODE), *named) if sources.text(path) is not None]


class Text(unittest.TestCase):
    maxDiff = None

    def test_lines_are_at_most_100_columns(self):
        wrong = [
            f"{path}:{number}"
            for path in code()
            for number, line in enumerate(sources.text(path).split("\n"), 1)
            if len(line) > LINE_MAX
        ]
        self.assertEqual(wrong, [])

    def test_files_stay_under_600_lines(self):
        wrong = [str(path) for path in code() if sources.text(path).count("\n") >= FILE_LINES_MAX]
        self.assertEqual(wrong, [])

    def test_files_end_with_one_newline_and_hold_no_tab_or_trailing_space(self):
        wrong = []
        for path in code():
            text = sources.text(path)
            if text and (not text.endswith("\n") or text.endswith("\n\n")):
                wrong.append(f"{path}: end of file")
            wrong += [
                f"{path}:{number}"
                for number, line in enumerate(text.split("\n"), 1)
                if line != line.rstrip() or "\t" in line
            ]
        self.assertEqual(wrong, [])

    def test_no_unfinished_business(self):
        marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|unimplement" r"ed)\b")
        wrong = [
            f"{path}:{number}"
            for path in sources.tracked()
            if path.name != "LICENSE"
            for number, line in enumerate((sources.text(path) or "").split("\n"), 1)
            if marks.search(line)
        ]
        self.assertEqual(wrong, [])

    def test_no_path_of_somebodys_machine(self):
        path_of_a_machine = re.compile(r"(?<![\w.}])/(root|home|Users|work|workspace)/\w")
        wrong = [
            f"{path}:{number}"
            for path in sources.tracked()
            for number, line in enumerate((sources.text(path) or "").split("\n"), 1)
            if path_of_a_machine.search(line)
        ]
        self.assertEqual(wrong, [])

    def test_only_known_entries_at_the_top(self):
        top = {path.parts[0] for path in sources.tracked()}
        self.assertEqual(sorted(top - TOP_LEVEL), [])

    def test_no_folder_for_leftovers(self):
        wrong = {
            part
            for path in sources.tracked()
            for part in path.parts[:-1]
            if part in ("util", "utils", "common", "helpers", "misc")
        }
        self.assertEqual(wrong, set())


if __name__ == "__main__":
    unittest.main()
