"""Completions and manual pages: they know what --help knows, and shells and groff read them."""

import os
import re
import shutil
import subprocess
import unittest

import driver

# $1 is the script, the rest the words of the command line, the last of them being typed.
BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
"$(complete -p "$1" | sed 's/.*-F \([^ ]*\) .*/\1/')"
printf '%s\n' "${COMPREPLY[@]}"
"""
PROGRAMS = {
    "docket": (("completion",), ("man",)),
    "docket-load": (("completion",), ("man",)),
    "docketd": (("--completion",), ("--man",)),
}


def long_options(help_text):
    return set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", help_text, re.M))


def commands_of(program):
    """The commands that --help lists."""
    text = driver.run(program, "--help").stdout
    if "Subcommands:" not in text:
        return []
    listed = text[text.index("Subcommands:"):].split("\n\n")[0]
    return re.findall(r"^  ([a-z-]+) ", listed, re.M)


class Manual(driver.EndToEnd):
    def script(self, program, shell):
        path = self.directory / f"{program}.{shell}"
        if not path.exists():
            path.write_text(driver.run(program, *PROGRAMS[program][0], shell).stdout)
        return path

    def completed(self, *words):
        """What bash offers for the last word."""
        result = subprocess.run(["bash", "--norc", "-c", BASH, "bash",
                                 self.script(words[0], "bash"), *words],
                                capture_output=True, text=True, cwd=self.directory,
                                timeout=driver.ANSWER_SECONDS)
        self.assertEqual((result.returncode, result.stderr), (0, ""), words)
        return set(result.stdout.split("\n")) - {""}

    def test_bash_completes_every_command_and_option_of_the_help(self):
        for program in PROGRAMS:
            commands = commands_of(program)
            options = long_options(driver.run(program, "--help").stdout)
            self.assertGreater(len(options), 1)
            self.assertEqual(self.completed(program, "--"), options)
            self.assertEqual(self.completed(program, "") & set(commands), set(commands))
            for command in commands:
                options = long_options(driver.run(program, command, "--help").stdout)
                self.assertEqual(self.completed(program, command, "--"), options, command)

    def test_bash_completes_values_where_they_are_due(self):
        (self.directory / "store").mkdir()
        (self.directory / "file.csv").touch()
        formats = {"table", "json", "ndjson", "csv", "syslog", "cef"}
        for words, offered in (
            (("docket", "sea"), {"search"}),
            (("docket", "search", "-o", ""), formats),
            (("docket", "search", "--output", "=", "c"), {"csv", "cef"}),
            (("docket", "search", "--output", "="), formats),
            (("docket", "export", "-o", ""), {"csv", "ndjson", "syslog", "cef"}),
            (("docket", "verify", "-o", ""), {"table", "json"}),
            (("docket", "count", "--data", "s"), {"store"}),
            (("docket", "--data", "sea", "count", "outc"), {"outcome:"}),
            (("docket", "--data", "=", "sea", "count", "outc"), {"outcome:"}),
            (("docket", "--utc", "co"), {"count", "completion"}),
            (("docket", "search", "target"),
             {"target:", "target.type:", "target.id:", "target.name:"}),
            (("docket", "search", "x", "sin"), {"since:"}),
            (("docket", "facets", "--by", "ac"), {"actor", "actor.kind"}),
            (("docket", "facets", "--by", "verb,ou"), {"verb,outcome"}),
            (("docket", "histogram", "--by", "ver"), {"verb"}),
            (("docket", "import", "file"), {"file.csv"}),
            (("docket", "export", "--out", "f"), {"file.csv"}),
            (("docket", "completion", ""), {"bash", "zsh", "fish"}),
            (("docket", "help", "q"), {"query"}),
            (("docket", "count", "--tz", "Europe/Berl"), {"Europe/Berlin"}),
            (("docket", "count", "--tz", "America/Argentina/Ush"), {"America/Argentina/Ushuaia"}),
            (("docket", "--tz", "loc"), {"local"}),
            (("docket", "report", ""), {"handover", "activity", "access", "failures"}),
            (("docket", "search", "--limit", ""), set()),
            (("docketd", "--data", ""), {"store"}),
            (("docketd", "--completion", "b"), {"bash"}),
            (("docket-load", "send", "--protocol", ""), {"native", "ndjson"}),
        ):
            self.assertEqual(self.completed(*words), offered, words)

    def test_bash_takes_the_script_as_the_help_says(self):
        result = subprocess.run(
            ["bash", "--norc", "-c", 'source <("$0" completion bash); complete -p docket',
             driver.BIN / "docket"], capture_output=True, text=True)
        self.assertEqual((result.stdout, result.stderr), ("complete -F _docket docket\n", ""))

    def test_zsh_and_fish_name_every_command_and_option(self):
        for program in PROGRAMS:
            zsh = self.script(program, "zsh").read_text()
            fish = self.script(program, "fish").read_text()
            for command in ("", *commands_of(program)):
                for option in long_options(driver.run(program, *command.split(), "--help").stdout):
                    self.assertRegex(zsh, rf"[ ,{{]{option}[ ,}}'=\[]")
                    self.assertRegex(fish, rf"_at \\'{command}\\''.* -l {option[2:]} ")
                if command:
                    self.assertIn(f"'{command}:", zsh)
                    self.assertIn(f" -a {command} -d ", fish)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_reads_its_scripts(self):
        for program in PROGRAMS:
            script = self.script(program, "zsh")
            result = subprocess.run(
                ["zsh", "-f", "-c", "autoload -Uz compinit && compinit -u -D && source $1 && "
                 "print ${_comps[$2]}", "zsh", script, program], capture_output=True, text=True,
                env={**os.environ, "TERM": "dumb"})
            self.assertEqual((result.stdout, result.stderr),
                             ("_" + program.replace("-", "_") + "\n", ""))

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes(self):
        def completed(line):
            result = subprocess.run(
                ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]",
                 self.script(line.split()[0], "fish"), line],
                capture_output=True, text=True, cwd=self.directory,
                env={**os.environ, "HOME": str(self.directory)})
            self.assertEqual(result.stderr, "", line)
            return {offer.split("\t")[0] for offer in result.stdout.splitlines()}

        self.assertEqual(completed("docket sea"), {"search"})
        self.assertEqual(completed("docket --data x search -o c"), {"csv", "cef"})
        self.assertEqual(completed("docket search outc"), {"outcome:"})
        self.assertEqual(completed("docketd --completion z"), {"zsh"})
        for command in commands_of("docket"):
            options = long_options(driver.run("docket", command, "--help").stdout)
            self.assertEqual(completed(f"docket {command} --"), options, command)

    def test_every_command_and_option_is_in_the_manual_pages(self):
        def plain(page):
            return re.sub(r"\\f.", "", page.replace("\\-", "-"))

        for program in PROGRAMS:
            page = plain(driver.run(program, *PROGRAMS[program][1]).stdout)
            for command in ("", *commands_of(program)):
                if command:
                    self.assertIn(f'.SS "{program} {command}', page)
                own = (plain(driver.run("docket", "man", command).stdout)
                       if program == "docket" and command else page)
                for option in long_options(driver.run(program, *command.split(), "--help").stdout):
                    for where in (page, own):
                        self.assertRegex(where, rf"(?m)^\.TP\n(-\w, )?{option}( |$)")
        self.assertIn("target.type:Contact", driver.run("docket", "man", "query").stdout)
        unknown = driver.run("docket", "man", "nonsense", check=False)
        self.assertEqual(unknown.returncode, 2)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_groff_has_nothing_to_warn_about(self):
        pages = [(program, *PROGRAMS[program][1]) for program in PROGRAMS]
        pages += [("docket", "man", topic) for topic in ("query", *commands_of("docket"))]
        for program, *arguments in pages:
            page = self.directory / "page"
            page.write_text(driver.run(program, *arguments).stdout)
            self.assertTrue(page.read_text().isascii(), arguments)
            result = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-rLL=100n", page],
                                    capture_output=True, text=True)
            self.assertEqual((result.returncode, result.stderr), (0, ""), (program, arguments))
            shown = re.sub("\x1b\\[[0-9;]*m|.\x08", "", result.stdout)
            self.assertIn("NAME", shown)
            self.assertNotIn("\\", shown.replace("\\\\", "") if "query" not in arguments else "")


if __name__ == "__main__":
    unittest.main()
