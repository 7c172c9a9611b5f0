"""Every error that the source can tell, read from the source: its class, and the code where a call gives one."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "headgate"
AT_RUN_TIME = "*"
_ELSEWHERE = ("simulator", "storage/migrations")
"""The simulator speaks for providers, not for Headgate."""
_OTHERS_WORDS = "ProviderError"
"""Carries what a provider said."""

Kind = tuple[int, str, str]
"""Status, type, code."""


@dataclass(frozen=True, slots=True)
class ToldError:
    """What a caller reads. `code` is `AT_RUN_TIME` where it is put together then; an error without has its type."""

    status: int
    type: str
    code: str
    where: str


def told_errors() -> list[ToldError]:
    """Those of the classes as they are, and those of calls that give a code or a type of their own."""
    paths = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}
    trees = {name: ast.parse(path.read_text()) for name, path in paths.items() if not name.startswith(_ELSEWHERE)}
    kinds = _kinds(trees.values())
    found = [ToldError(*kind, name) for name, kind in kinds.items() if name != _OTHERS_WORDS]
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                status, kind, code = kinds[node.func.id]
                given = {keyword.arg: _text(keyword.value) for keyword in node.keywords}
                if node.func.id != _OTHERS_WORDS and given.keys() & {"type", "code"}:
                    where = f"{name}:{node.lineno}"
                    found.append(ToldError(status, given.get("type", kind), given.get("code", code), where))
    return found


def _text(value: ast.expr) -> str:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else AT_RUN_TIME


def _kinds(trees: Iterable[ast.Module]) -> dict[str, Kind]:
    """Of every subclass of `HeadgateError`, by its name; what a class does not say it inherits."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found: dict[str, Kind] = {"HeadgateError": (500, "internal_error", "internal_error")}
    before = 0
    while len(found) > before:
        before = len(found)
        for node in classes:
            bases = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id in found]
            if bases:
                found[node.name] = _own(node) or found[bases[0]]
    return found


def _own(node: ast.ClassDef) -> Kind | None:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            status, kind, code = ast.literal_eval(statement.value)
            return status, kind, code
    return None
