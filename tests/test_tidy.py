"""The habits of the house, held by tests. Each rule says why it exists."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "headgate"
LINES_PER_FILE = 350
LINES_PER_FUNCTION = 60
LINES_MEDIAN = 160
WHY = "# why:"
"""A line that breaks a rule for a reason says the reason behind this."""

BANNED = {
    r"asyncio\.create_task\(": "the loop keeps only a weak reference: use base.tasks.Tasks",
    r"\bdatetime\.(now|utcnow)\(": "time is injected: take a Clock",
    r"\btime\.(time|time_ns)\(": "time is injected: take a Clock",
    r"\bprint\(": "only the command line and the demo speak to the terminal",
    r"\bfloat\((?!\))": "money is integers; where a float is right, say why beside it",
    r"\bTODO\b|\bFIXME\b|\bXXX\b": "finish it, or write it into the issue",
    r"except Exception:\s*\n\s*(pass|\.\.\.)\s*$": "an error nobody sees",
}
ALLOWED = {
    r"\bprint\(": ("cli", "demo", "process"),
    r"\btime\.(time|time_ns)\(": ("base/clock.py",),
}


@cache
def sources() -> tuple[Path, ...]:
    return tuple(sorted(SOURCE.rglob("*.py")))


def migrations(path: Path) -> bool:
    return "migrations" in path.parts


def relative(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_files_hold_one_noun() -> None:
    """No file is longer than one can keep in mind, and the median is short."""
    lengths = {relative(path): len(path.read_text().splitlines()) for path in sources() if not migrations(path)}
    too_long = {name: lines for name, lines in lengths.items() if lines > LINES_PER_FILE}
    assert not too_long
    assert sorted(lengths.values())[len(lengths) // 2] <= LINES_MEDIAN


def test_functions_fit_on_a_screen() -> None:
    """A function that has to be scrolled hides its shape."""
    too_long = [
        f"{relative(path)}:{node.lineno} {node.name}: {length} lines"
        for path in sources()
        if not migrations(path)
        for node in functions(ast.parse(path.read_text()))
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LINES_PER_FUNCTION
    ]
    assert not too_long


@pytest.mark.parametrize("pattern", BANNED)
def test_banned_calls_are_not_used(pattern: str) -> None:
    """Each ban has its reason in the table above; a line that must break one says why on the same line."""
    found = [
        f"{relative(path)}:{text.count(chr(10), 0, match.start()) + 1}: {BANNED[pattern]}"
        for path in sources()
        if not relative(path).startswith(ALLOWED.get(pattern, ()))
        for text in [path.read_text()]
        for match in re.finditer(pattern, text, re.MULTILINE)
        if WHY not in text[match.start() : text.find("\n", match.end())]
    ]
    assert not found


def test_every_module_says_what_it_is() -> None:
    """The first line of a file tells a reader whether to go on."""
    silent = [relative(path) for path in sources() if len(ast.get_docstring(ast.parse(path.read_text())) or "") < 20]
    assert not silent


def test_every_test_says_what_is_promised() -> None:
    """A test's docstring is the promise it keeps."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in functions(ast.parse(path.read_text()))
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert not silent


def test_nothing_of_a_workplace_is_committed() -> None:
    """No registry host and no path of somebody's machine stands in what is committed."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    pattern = re.compile(
        "|".join(("pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.org", r"/work" + "/", "/root" + "/"))
    )
    found = [
        name
        for name in listed
        if (path := ROOT / name).is_file()
        and path.suffix not in {".png", ".ico"}
        and pattern.search(path.read_text(errors="replace"))
    ]
    assert not found


def test_no_test_waits_out_a_race() -> None:
    """A sleep in a test hides a race; wait for the event itself."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"\b(time|asyncio)\.sleep\((?!0\))", line) and WHY not in line
    ]
    assert not found
