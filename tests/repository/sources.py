"""The files of this repository, for the tests that look at the repository itself."""

import functools
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARIES = ("engine", "index", "query", "ingest")
CPP = (".cpp", ".hpp", ".h")


@functools.cache
def tracked():
    """Paths relative to the root: what git tracks, or all but build trees where there is no git."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
        names = [name for name in names if not name.startswith(("build/", ".git/"))]
    return sorted(pathlib.PurePosixPath(name) for name in names if (ROOT / name).is_file())


@functools.cache
def text(path):
    """The file's text; None for a binary one."""
    data = (ROOT / path).read_bytes()
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


def of(*suffixes):
    return [path for path in tracked() if path.suffix in suffixes]
