"""YAML as text: plain values, and the line on which each of them stands.

Read more strictly than YAML asks for, because what is misread here becomes a customer's limit: a name that is there
twice is refused; dates, `yes` and `12:30` are text; aliases are followed, but not without end; there are no types but
JSON's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from headgate.cli.apply.errors import BadFile

LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a file."""
MOST_VALUES: Final = 200_000
DEEPEST: Final = 60


class _Loader(yaml.SafeLoader):
    """With the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - yaml's own way to say it


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)


@dataclass(frozen=True, slots=True)
class Source:
    """`value` is the whole document. `lines` has, by place (`workspaces[0].slug`), the line, counted from 1."""

    value: Any
    lines: Mapping[str, int]

    def wrong(self, place: str, why: str) -> BadFile:
        """What is wrong there, with the nearest line that is known."""
        known = place
        while known and known not in self.lines:
            known = known[: max(known.rfind("."), known.rfind("["), 0)]
        return BadFile(f"line {self.lines.get(known, 1)}: `{place[:200]}`: {why}", param=place[:200])


def parsed(text: str) -> Source:
    """Raises `BadFile` naming the line."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        reader = _Reader(loader)
        return Source(None if node is None else reader.read(node, "", 0), reader.lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise BadFile(f"line {line}: this is no YAML: {error.problem}.") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise BadFile(f"This is no YAML: {(str(error).splitlines() or ['nested too deeply'])[0]}.") from None


class _Reader:
    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self.lines: dict[str, int] = {}
        self._left = MOST_VALUES

    def read(self, node: yaml.Node, place: str, depth: int) -> Any:
        line = node.start_mark.line + 1
        self.lines[place] = line
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            raise BadFile(f"line {line}: the file holds more than can be meant. Is an alias inside what it stands for?")
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node, place, depth)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self.read(each, f"{place}[{index}]", depth + 1) for index, each in enumerate(node.value)]
        if kind == "str":
            return node.value
        if kind == "int":
            return int(node.value)
        if kind not in ("null", "bool", "float"):
            raise BadFile(f"line {line}: `{place[:200]}` has a type of its own ({kind[:60]}), and none is known here.")
        return self._loader.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, place: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                raise BadFile(f"line {line}: a name must be plain text.")
            if key.value in found:
                raise BadFile(f"line {line}: `{key.value[:100]}` is there twice.")
            inner = f"{place}.{key.value}" if place else str(key.value)
            found[key.value] = self.read(value, inner, depth + 1)
            self.lines[inner] = line
        return found
