"""A list of models by name: `@provider/model`, or `model` of whichever provider; `*` at the end stands for any rest."""

from collections.abc import Iterable
from typing import Any, Final

from headgate.base.errors import Forbidden, InvalidRequest
from headgate.tenancy import rules

ANY: Final = "*"
MOST: Final = 1_000


class ModelNames:
    """Compiled once, asked on calls. Equal where the names are."""

    __slots__ = ("_beginnings", "_exact", "names")

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._exact = frozenset(name for name in self.names if not name.endswith(ANY))
        self._beginnings = tuple(name[:-1] for name in self.names if name.endswith(ANY))

    def allow(self, provider: str, model: str) -> bool:
        """Whether the model of this provider (its slug) is on the list, in one spelling or the other."""
        full = f"@{provider}/{model}"
        if full in self._exact or model in self._exact:
            return True
        return bool(self._beginnings) and (full.startswith(self._beginnings) or model.startswith(self._beginnings))

    def cover(self, name: str) -> bool:
        """Whether all that a name or pattern means is on the list. A plain name means the model of any provider."""
        model = name.partition("/")[2] if name.startswith("@") else name
        if name in self.names or model in self.names:
            return True
        stems = (name.removesuffix(ANY), model.removesuffix(ANY))
        return bool(self._beginnings) and any(stem.startswith(self._beginnings) for stem in stems)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelNames) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)

    def __repr__(self) -> str:
        return f"ModelNames({list(self.names)!r})"


def model_names(value: object, param: str) -> tuple[str, ...] | None:
    """Read from a request. None: every model that the caller's workspace has.

    Raises `InvalidRequest`, for an empty list too: it would allow nothing, which is hardly what was meant.
    """
    if value is None:
        return None
    found = rules.texts(value, param, most=MOST)
    if not found:
        raise InvalidRequest(
            f"`{param}` must name at least one model; null allows all that the workspace has.", param=param
        )
    for index, each in enumerate(found):
        model_name(each, f"{param}[{index}]", pattern=True)
    return tuple(dict.fromkeys(found))


def granted(value: object, param: str, ceiling: ModelNames | None) -> tuple[str, ...] | None:
    """The same for a key, which gets no model that its maker's key (`ceiling`) may not use; null gives it all those.

    Raises `Forbidden` naming the model.
    """
    found = model_names(value, param)
    if ceiling is None:
        return found
    for name in found or ():
        if not ceiling.cover(name):
            raise Forbidden(f"Your key may not use `{name}`, so it cannot grant it.", param=param)
    return found or ceiling.names


def model_name(value: Any, param: str, *, pattern: bool = False) -> str:
    """One name: `@provider/model` or `model`; as a pattern also with a `*` at its end."""
    found = rules.name(value, param)
    slug, slash, model = found[1:].partition("/") if found.startswith("@") else ("-", "/", found)
    starred = found.removesuffix(ANY) if pattern else found
    if not (slug and slash and model) or ANY in starred:
        wanted = "`@provider/model`, `model` or `@provider/*`" if pattern else "`@provider/model` or `model`"
        raise InvalidRequest(f"`{param}` must be of the form {wanted}.", param=param)
    return found


def may_allow(names: Iterable[str], name: str) -> bool:
    """Whether a list may allow what a name means. Which provider a plain `model` means is not known here."""
    slug, slash, model = name.removeprefix("@").partition("/") if name.startswith("@") else ("", "", name)
    if slash:
        return ModelNames(names).allow(slug, model)
    for each in names:
        listed = each.partition("/")[2] if each.startswith("@") else each
        if listed == model or (listed.endswith(ANY) and model.startswith(listed[:-1])):
            return True
    return False
