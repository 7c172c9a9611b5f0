"""The documentation says what the code says. Each failure names what is missing and the page where it belongs."""

import ast
import re
import shlex
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from fastapi.routing import APIRoute
from typer.main import get_command

from headgate.base import usage
from headgate.catalog.catalog import Catalog
from headgate.cli.app import app as command_line
from headgate.controlplane.app import ROUTERS
from headgate.controlplane.caller import Needs
from headgate.dataplane.door import HEALTH, METRICS, READINESS
from headgate.dataplane.endpoints import ENDPOINTS
from headgate.ledger.allowance import Resource, WindowKind
from headgate.ledger.record import Outcome, UsageRecord
from headgate.settings import SETTINGS, Setting
from headgate.tenancy.scopes import ORGANIZATION_SCOPES, WORKSPACE_SCOPES
from tests.support.pages import DOCS, ROOT, Page, all_pages, names, nothing_missing, reference
from tests.support.told_errors import AT_RUN_TIME, SOURCE, told_errors

README = Page(ROOT / "README.md")
PAGES = list(all_pages())
COMMANDS: Any = get_command(command_line)
UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])
"""click's, which some versions of typer bring with them."""
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def row_of(setting: Setting) -> str:
    default = str(setting.default).lower() if setting.kind is bool else setting.default
    shown = "" if default is None else f"`{default}`"
    return f"| `{setting.name}` | `{setting.env}` | {shown} | {setting.expected} | {setting.told.doc} |"


def test_every_setting_is_on_the_page() -> None:
    """With its variable, its default, what it takes and what it means, as it is declared."""
    page = reference("settings")
    nothing_missing([row for setting in SETTINGS if (row := row_of(setting)) not in page.text], page)


def routes_on(page: Page) -> dict[tuple[str, str], list[str]]:
    """By method and path, what stands in the cell for the scope."""
    rows = [row for row in page.rows() if len(row) == 4 and names(row[:1]) != [] and names(row[:1])[0].isupper()]
    return {(names(row[:1])[0], names(row[1:2])[0]): names(row[2:3]) for row in rows}


def test_every_endpoint_of_the_data_plane_is_on_the_page() -> None:
    """With its method and a scope that opens it."""
    page = reference("http")
    shown = routes_on(page)
    missing = [f"GET {path}" for path in (HEALTH, METRICS, READINESS) if ("GET", path) not in shown]
    missing += [
        f"{endpoint.method} {endpoint.path}, scope {' or '.join(endpoint.scopes)}"
        for endpoint in ENDPOINTS
        if not set(endpoint.scopes) <= set(shown.get((endpoint.method, endpoint.path), []))
    ]
    nothing_missing(missing, page)


def control_plane() -> Iterator[tuple[str, APIRoute]]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in route.methods or ():
                yield method, route


def scopes_of(route: APIRoute) -> set[str]:
    """What `caller.needs` was told. Empty where the scope depends on what is asked for."""
    declared = [each.call for each in route.dependant.dependencies if isinstance(each.call, Needs)]
    return {scope for needed in declared for scope in needed.scopes}


def test_every_route_of_the_control_plane_is_on_the_page() -> None:
    """With its method and its scope."""
    page = reference("http")
    shown = routes_on(page)
    missing = []
    for method, route in control_plane():
        told = shown.get((method, f"/v1{route.path}"), [])
        if not told or not scopes_of(route) <= set(told):
            missing.append(f"{method} /v1{route.path}, scope {' or '.join(scopes_of(route)) or 'by what is asked for'}")
    nothing_missing(missing, page)


def test_no_route_is_on_the_page_that_does_not_exist() -> None:
    """What was taken out of the code is taken out of the page."""
    page = reference("http")
    real = {(method, f"/v1{route.path}") for method, route in control_plane()}
    real |= {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    real |= {("GET", path) for path in (HEALTH, METRICS, READINESS, "/v1/models/{id}")}
    nothing_missing([f"{method} {path} does not exist" for method, path in routes_on(page).keys() - real], page)


def test_every_scope_is_on_the_page() -> None:
    """By its family and verb."""
    page = reference("http")
    shown = set()
    for row in page.rows():
        for noun in names(row[:1]):
            shown |= {f"{noun}.{verb}" for verb in names(row[1:2])}
    scopes = sorted(WORKSPACE_SCOPES | ORGANIZATION_SCOPES)
    nothing_missing([scope for scope in scopes if scope not in shown], page)


def test_every_error_is_on_the_page() -> None:
    """With its status and type, what it means and what to do."""
    page = reference("errors")
    rows = {
        (int(code[0]), names(row[1:2])[0], name): row
        for row in page.rows()
        if (code := re.findall(r"^\d{3}$", row[0]))
        for name in names(row[2:3])
    }
    missing = []
    for error in told_errors():
        found = [
            row
            for (*kind, code), row in rows.items()
            if kind == [error.status, error.type] and error.code in ("*", code)
        ]
        if not any(len(row) == 5 and row[3] and row[4] for row in found):
            shown = "a code made at run time" if error.code == AT_RUN_TIME else error.code
            missing.append(f"| {error.status} | `{error.type}` | `{shown}` | meaning | what to do |   ({error.where})")
    nothing_missing(missing, page)


def test_every_metric_is_on_the_page() -> None:
    """By its name, on the page for those who run it."""
    page = Page(DOCS / "operating" / "monitoring.md")
    sources = [*(SOURCE / "bootstrap").glob("*.py"), *(SOURCE / "telemetry").glob("*.py")]
    made = {name for source in sources for name in re.findall(r'"(headgate_[a-z_]+)"', source.read_text())}
    assert len(made) > 5
    nothing_missing([name for name in sorted(made) if f"`{name}" not in page.text], page)


def commands(group: Any, path: str = "headgate") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_command_and_option_is_on_the_page() -> None:
    """With its sentence, and each option with its own."""
    page = reference("cli")
    missing = []
    for path, command in commands(COMMANDS):
        section = page.section(f"`{path}`")
        told = [(command.help or "").partition("\n\n")[0].replace("\n", " ")]
        for parameter in command.params:
            if parameter.param_type_name == "option":
                told += [f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts)]
                told.append(parameter.help)
        missing += [f"## `{path}`: {text}" for text in told if text not in section]
    nothing_missing(missing, page)


def test_every_header_of_ours_is_on_the_page() -> None:
    """Whether Headgate reads it or sends it."""
    page = reference("headers")
    ours = re.compile(r"""["']((?:x-headgate|x-portkey)-[a-z-]+)["']""")
    files = [path for path in SOURCE.rglob("*.py") if path.relative_to(SOURCE).parts[0] not in ("demo", "simulator")]
    used = {name for path in files for name in ours.findall(path.read_text())}
    shown = set(names([row[0] for row in page.rows()]))
    nothing_missing(sorted(used - shown), page)


def test_every_provider_is_on_the_page() -> None:
    """With its other names and its address, and every format there is a path for."""
    page = reference("providers")
    shown = {names(row[:1])[0]: names(row[1:]) for row in page.rows() if len(row) == 4 and names(row[:1])}
    missing = []
    for spec in Catalog.load().providers():
        told = {*spec.aliases, *([spec.base_url] if spec.base_url else [])}
        if spec.id not in shown or not told <= set(shown[spec.id]):
            missing.append(f"`{spec.id}`, {', '.join(sorted(told))}")
    formats = {name for spec in Catalog.load().providers() for name in spec.formats}
    missing += [f"the format `{name}`" for name in sorted(formats - set(names([page.prose])))]
    nothing_missing(missing, page)


def test_every_field_of_a_usage_record_is_on_the_page() -> None:
    """With its outcomes, meters and sources of usage."""
    page = reference("usage-record")
    meters = [name.lower() for name, value in vars(usage).items() if name.isupper() and isinstance(value, str)]
    told = [*UsageRecord.__struct_fields__, *Outcome, *usage.UsageSource, *meters]
    shown = set(names([cell for row in page.rows() for cell in row[:1]]))
    nothing_missing([name for name in told if name not in shown], page)


@pytest.mark.parametrize("kind", [Resource, WindowKind])
def test_every_kind_of_allowance_is_on_the_page(kind: type[StrEnum]) -> None:
    """What can be limited, and over which windows."""
    page = reference("allowance")
    shown = set(names([row[0] for row in page.rows()]))
    nothing_missing([str(member) for member in kind if member not in shown], page)


@pytest.mark.parametrize("name", ["allowance", "hold", "usage-record"])
def test_an_object_s_page_says_what_is_guaranteed(name: str) -> None:
    """A list of guarantees, each with the test that tries to break it."""
    page = reference(name)
    promises = re.findall(r"^- .*(?:\n  .*)*", page.section("Guarantees"), re.MULTILINE)
    assert promises, f"{page.name} has no list under `## Guarantees`"
    for promise in promises:
        tests = re.findall(r"\]\((\.\./\.\./tests/[^)]+)\)", promise)
        assert tests, f"{page.name}: name the test that tries to break this: {promise}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Page) -> None:
    """To a file or folder of the repository, and to a heading that is there."""
    broken = []
    for link in page.links():
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        if not target.exists() or (anchor and anchor not in Page(target).anchors()):
            broken.append(link)
    nothing_missing(broken, page)


def test_every_page_can_be_found() -> None:
    """The index links to each page."""
    index = Page(DOCS / "README.md")
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in index.links()}
    missing = [str(path.relative_to(DOCS)) for path in sorted(DOCS.rglob("*.md")) if path not in {index.path, *linked}]
    nothing_missing(missing, index)


def shell_commands(page: Page) -> Iterator[list[str]]:
    """Each command shown, in words, those inside `$(...)` too."""
    for block in page.code("sh"):
        text = re.sub(r"\s# .*$", "", block.replace("\\\n", " "), flags=re.MULTILINE)
        words = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
        words.whitespace, words.whitespace_split, words.commenters = " \t", True, ""
        command: list[str] = []
        for word in [*words, "\n"]:
            if word.strip("();<>|&\n"):
                command.append(word)
            else:
                yield command
                command = []


def refusal(words: list[str]) -> str | None:
    """Why this command line would not run; None if it would."""
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if words[:1] == ["make"]:
        unknown = [word for word in words[1:] if "=" not in word and word not in TARGETS]
        return f"make {unknown[0]}: no such target" if unknown else None
    if not words or Path(words[0]).name != "headgate":
        return None
    command, rest = COMMANDS, words[1:]
    while hasattr(command, "commands"):
        if rest[:1] == ["--help"]:
            return None
        if not rest or rest[0] not in command.commands:
            return f"{' '.join(words)}: no such command"
        command, rest = command.commands[rest[0]], rest[1:]
    try:
        command.make_context(words[0], rest)
    except UsageError as error:
        return f"{' '.join(words)}: {error}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_shown_exist(page: Page) -> None:
    """Every `headgate` and `make` line parses: its command, its arguments and its options are there."""
    nothing_missing([why for words in shell_commands(page) if (why := refusal(words)) is not None], page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_that_is_shown_compiles(page: Page) -> None:
    """Every snippet is Python."""
    for snippet in page.code("python"):
        ast.parse(snippet, page.name)


def test_the_checks_can_fail() -> None:
    """What finds mistakes finds these."""
    assert refusal(["headgate", "api-keys", "create", "Acme"]) is not None  # no --workspace
    assert refusal(["headgate", "serve", "--prot", "1"]) is not None
    assert refusal(["headgate", "frobnicate"]) is not None
    assert refusal(["make", "frobnicate"]) is not None
    assert refusal(["HEADGATE_PORT=9000", ".venv/bin/headgate", "serve", "--port", "0"]) is None
    assert {error.code for error in told_errors()} > {"AB01", "held", "draining", "setting"}
    assert any(scopes_of(route) == {"workspaces.create"} for _, route in control_plane())


def test_the_readme_shows_commands_and_code() -> None:
    """The checks above have something to check."""
    words: list[Any] = [command[0] for command in shell_commands(README) if command]
    assert {"make", "headgate"} <= {Path(word).name for word in words}
    assert README.code("python")
