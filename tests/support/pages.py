"""The documentation as data: tables, code and links of a page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CELL = re.compile(r"(?<!\\)\|")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        """Empty where there is no such file yet."""
        return self.path.read_text(encoding="utf-8") if self.path.exists() else ""

    @property
    def prose(self) -> str:
        """Without code blocks."""
        return _FENCE.sub("", self.text)

    def rows(self) -> list[list[str]]:
        """The cells of every line of every table, headings too."""
        lines = [line for line in self.prose.splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in _CELL.split(line.strip().strip("|"))] for line in lines]

    def section(self, heading: str) -> str:
        """What stands between a second-level heading and the next; empty where there is none."""
        _, found, rest = f"\n{self.text}".partition(f"\n## {heading}\n")
        return rest.partition("\n## ")[0] if found else ""

    def code(self, language: str) -> list[str]:
        return [body for tag, body in _FENCE.findall(self.text) if tag == language]

    def links(self) -> list[str]:
        """Those that point into the repository."""
        return [link for link in _LINK.findall(self.prose) if not re.match(r"[a-z]+:", link)]

    def anchors(self) -> set[str]:
        """What a link may name behind `#`."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(self.prose)}


def reference(name: str) -> Page:
    return Page(DOCS / "reference" / f"{name}.md")


def all_pages() -> Iterator[Page]:
    """The README, what stands beside it, and every page of docs."""
    for path in (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))):
        yield Page(path)


def names(cells: list[str]) -> list[str]:
    """What stands in backticks in these cells."""
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def nothing_missing(missing: list[str], page: Page) -> None:
    """Fails with what is missing and where to write it."""
    assert not missing, f"{page.name} has to be brought up to date. Missing or different:\n" + "\n".join(missing)
