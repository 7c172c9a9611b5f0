"""The command line: what it is called, and how it says no."""

import re
import tomllib
from pathlib import Path

import pytest

from headgate.cli.app import main
from headgate.settings import SETTINGS, load
from tests.support.command import headgate

SETTINGS_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """Within this process: what would be the exit code, standard output and standard error."""
    monkeypatch.setattr("sys.argv", ["headgate", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.env, raising=False)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nonsense"], 2, "No such command 'nonsense'"),
        (["serve", "--nonsense"], 2, "No such option: --nonsense"),
        (["serve", "--port", "70000"], 2, "--port: `70000` does not fit"),
        (["check", "--config", "none.toml"], 2, "there is no file `none.toml`"),
        (["workspaces", "list"], 1, "HEADGATE_ADMIN_KEY is not set"),
        (["workspaces", "create", "x", "--metadata", "tier"], 2, "`tier` is not `key=value`"),
        (["api-keys", "create", "x", "--workspace", "w", "--budget-usd", "lots"], 2, "not an amount of dollars"),
        (["api-keys", "create", "x", "--workspace", "w", "--reset", "monthly"], 2, "there is no --budget-usd"),
        (["integrations", "add", "openai", "--from-env"], 2, "OPENAI_API_KEY is not set"),
        (["prices", "show", "nobody", "model"], 1, "There is no provider `nobody`. Known: anthropic"),
        (["prices", "show", "openai", "gpt-0"], 1, "`gpt-0` of openai has no known price"),
        (["prices", "build", "--facts", "none.json"], 1, "The table was not built"),
        (["keys", "rotate-master"], 1, "master.key"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_goes_wrong_is_one_sentence(
    arguments: list[str],
    code: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On standard error, without a traceback: 2 for wrong usage, 1 for the rest."""
    ended, out, err = run(capsys, monkeypatch, *arguments)
    assert ended == code
    assert sentence in err
    assert "Traceback" not in err
    assert out == ""


def test_an_unknown_variable_stops_every_command_that_reads_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt setting is named before anything is done."""
    monkeypatch.setenv("HEADGATE_PROT", "1")
    ended, _, err = run(capsys, monkeypatch, "check")
    assert ended == 2
    assert "Did you mean `HEADGATE_PORT`?" in err


def test_nobody_at_the_address_is_said_with_the_address(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The administration commands name where they looked, and ask the right question."""
    monkeypatch.setenv("HEADGATE_ADMIN_KEY", "hg_x")
    ended, _, err = run(capsys, monkeypatch, "workspaces", "list", "--url", "http://127.0.0.1:1")
    assert ended == 1
    assert "http://127.0.0.1:1" in err
    assert "Is `headgate serve` running?" in err


def test_printed_keys_are_well_formed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What `keys new-...` prints is what the settings take."""
    from headgate.tenancy.keys import parse
    from headgate.tenancy.vault import MasterKey

    _, admin, _ = run(capsys, monkeypatch, "keys", "new-admin")
    assert parse(admin.strip()) is not None
    _, master, _ = run(capsys, monkeypatch, "keys", "new-master")
    assert len(MasterKey.from_text(master).secret) == 32


def test_check_of_an_empty_directory_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what the first start will make, and makes none of it."""
    ended, out, err = run(capsys, monkeypatch, "check")
    assert (ended, err) == (0, "")
    assert "master key" in out
    assert "the first start makes it" in out
    assert list(tmp_path.iterdir()) == []


def test_prices_show_the_rows_that_calls_are_billed_by(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line for each rate, in dollars per million."""
    ended, out, _ = run(capsys, monkeypatch, "prices", "show", "openai", "gpt-4o-mini")
    assert ended == 0
    assert re.search(r"^openai/gpt-4o-mini@\S+ .*\binput +0\.150000$", out, re.MULTILINE)


async def test_the_installed_command_runs(tmp_path: Path) -> None:
    """`headgate` is on the path of an installation, and migrate makes a database that check finds."""
    migrated = await headgate("migrate", cwd=tmp_path)
    assert (migrated.code, migrated.err) == (0, "")
    assert "The schema was at nothing and is at" in migrated.out
    checked = await headgate("check", cwd=tmp_path)
    assert checked.code == 0
    assert re.search(r"database +sqlite 3\.\d+\.\d+, schema v?\w+", checked.out)
    assert ".headgate: not in use" in checked.out


def test_the_example_of_the_settings_page_is_valid(tmp_path: Path) -> None:
    """The headgate.toml that the documentation shows loads."""
    page = SETTINGS_PAGE.read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert tomllib.loads(example)
    Path("headgate.toml").write_text(example)
    assert load({}).port == 9000
