"""Settings: where they come from, which source wins, and how wrong ones are refused."""

from pathlib import Path

import pytest

from headgate.settings import SETTINGS, BadSetting, Setting, Settings, load


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(environ: dict[str, str], flags: dict[str, object] | None = None) -> BadSetting:
    with pytest.raises(BadSetting) as caught:
        load(environ, flags)
    return caught.value


def test_without_any_source_the_defaults_hold() -> None:
    """A laptop needs no configuration: loopback, port 8787, one process, a directory beside the work."""
    settings = load({"PATH": "/bin"})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8787, 1)
    assert settings.data_dir == Path(".headgate")


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, "http://127.0.0.1:8787"),
        ({"HEADGATE_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"HEADGATE_HOST": "0.0.0.0"}, "http://127.0.0.1:8787"),
        ({"HEADGATE_HOST": "::1"}, "http://[::1]:8787"),
        ({"HEADGATE_URL": "https://llm.example.com"}, "https://llm.example.com"),
    ],
)
def test_it_is_reached_where_it_listens_if_nothing_else_is_said(environ: dict[str, str], address: str) -> None:
    """Links begin with this: one to another port would lead nowhere."""
    assert load(environ).reached_at == address


def test_later_sources_win(tmp_path: Path) -> None:
    """Defaults, then the file, then the environment, then flags: each only for what it names."""
    Path("headgate.toml").write_text('host = "from.file"\nport = 1\nworkers = 1\nlog_level = "debug"\n')
    settings = load({"HEADGATE_HOST": "from.env", "HEADGATE_PORT": "2"}, {"host": "from.flag", "workers": None})
    assert (settings.host, settings.port, settings.log_level) == ("from.flag", 2, "debug")


@pytest.mark.parametrize("source", ["environment", "flag"])
def test_the_configuration_file_can_be_elsewhere(source: str) -> None:
    """`--config` and `HEADGATE_CONFIG` replace the file of the working directory."""
    Path("headgate.toml").write_text("port = 1\n")
    Path("other.toml").write_text("port = 3\n")
    environ, flags = (
        ({"HEADGATE_CONFIG": "other.toml"}, {}) if source == "environment" else ({}, {"config": Path("other.toml")})
    )
    assert load(environ, flags).port == 3


def test_a_configuration_file_that_was_asked_for_must_be_there() -> None:
    """Only the default file may be absent."""
    assert "missing.toml" in refusal({"HEADGATE_CONFIG": "missing.toml"}).message


@pytest.mark.parametrize("content", ["port = ", "\x00", 'config = "other.toml"'])
def test_a_broken_configuration_file_is_refused_by_its_name(content: str) -> None:
    """What cannot be read is named; a chain of files is not followed."""
    Path("headgate.toml").write_text(content)
    error = refusal({})
    assert error.param == "config"
    assert "headgate.toml" in error.message


def test_an_unknown_variable_is_refused_with_the_nearest_name() -> None:
    """A misspelt limit must not be silently without effect."""
    assert "Did you mean `HEADGATE_DATA_DIR`?" in refusal({"HEADGATE_DATADIR": "x"}).message


def test_an_unknown_key_of_the_file_is_refused_with_the_nearest_name() -> None:
    """The same for the file; a table is as unknown as any other name."""
    Path("headgate.toml").write_text("prot = 1\n")
    assert "Did you mean `port`?" in refusal({}).message
    Path("headgate.toml").write_text("[server]\nport = 1\n")
    assert "`server`" in refusal({}).message


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("HEADGATE_PORT", "http", "a whole number from 0 to 65535"),
        ("HEADGATE_PORT", "65536", "a whole number from 0 to 65535"),
        ("HEADGATE_PORT", "80.5", "a whole number"),
        ("HEADGATE_PORT", "", "a whole number"),
        ("HEADGATE_WORKERS", "0", "a whole number from 1"),
        ("HEADGATE_IDLE_TIMEOUT_S", "nan", "a number from 0.1 to 7200"),
        ("HEADGATE_IDLE_TIMEOUT_S", "inf", "a number from 0.1 to 7200"),
        ("HEADGATE_ALLOW_PRIVATE_UPSTREAMS", "maybe", "`true` or `false`"),
        ("HEADGATE_JOURNAL_SYNC", "always", "`off` or `group`"),
        ("HEADGATE_URL", "http://", "`http://` or `https://`"),
        ("HEADGATE_URL", "http://host:99999", "`http://` or `https://`"),
        ("HEADGATE_HOST", "", "a text that is not empty"),
        ("HEADGATE_DATA_DIR", "", "a path"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(variable: str, text: str, expected: str) -> None:
    """The message names the variable, shows the value and says what is expected."""
    message = refusal({variable: text}).message
    assert message.startswith(f"{variable}: `{text}`")
    assert expected in message


def test_a_flag_that_does_not_fit_is_refused_by_its_own_name() -> None:
    """Whoever typed `--data-dir` reads `--data-dir`."""
    assert refusal({}, {"data_dir": ""}).message.startswith("--data-dir:")


@pytest.mark.parametrize("line", ["port = true", "adopt_keys = 1", "host = 5", "max_headers = 20.5", "data_dir = []"])
def test_a_value_of_another_kind_in_the_file_is_refused(line: str) -> None:
    """TOML's types are taken at their word: `true` is no number and 1 no truth value."""
    Path("headgate.toml").write_text(line)
    assert line.split()[0] in refusal({}).message


def test_kinds_are_read_from_text_and_from_typed_values() -> None:
    """Text, whole number, number, truth value and path, from both kinds of source."""
    Path("headgate.toml").write_text('idle_timeout_s = 5\nadopt_keys = true\ndata_dir = "d"\nmax_headers = 50\n')
    settings = load({"HEADGATE_TOTAL_TIMEOUT_S": "7.5", "HEADGATE_ALLOW_PRIVATE_UPSTREAMS": "No"}, {"port": 9})
    assert (settings.idle_timeout_s, settings.adopt_keys, settings.data_dir, settings.max_headers) == (
        5.0,
        True,
        Path("d"),
        50,
    )
    assert (settings.total_timeout_s, settings.allow_private_upstreams, settings.port) == (7.5, False, 9)
    assert type(settings.idle_timeout_s) is float


def test_an_empty_optional_value_is_an_absent_one() -> None:
    """Container files often pass variables through that are set to nothing."""
    assert load({"HEADGATE_REDIS_URL": "", "HEADGATE_ADMIN_KEY": ""}) == Settings()


def test_several_workers_without_redis_are_refused_with_the_reason() -> None:
    """Guarantee 1: processes that do not share allowances would multiply every cap."""
    message = refusal({}, {"workers": 4}).message
    assert "redis_url" in message
    assert "4 times" in message
    assert load({"HEADGATE_REDIS_URL": "redis://localhost:6379/0"}, {"workers": 4}).workers == 4


def test_a_country_needs_proxies_that_may_tell_it() -> None:
    """Else any client could send the header."""
    assert "trusted_proxies" in refusal({"HEADGATE_COUNTRY_HEADER": "CF-IPCountry"}).message
    trusted = {"HEADGATE_TRUSTED_PROXIES": "10.0.0.0/8, ::1"}
    assert load({**trusted, "HEADGATE_COUNTRY_HEADER": "CF-IPCountry"}).country_header == "CF-IPCountry"


@pytest.mark.parametrize("setting", [each for each in SETTINGS if each.told.secret], ids=lambda each: each.name)
def test_a_secret_is_never_shown(setting: Setting) -> None:
    """Neither a refusal nor the representation carries a secret's value."""
    if setting.told.schemes:
        assert "p4ssword" not in refusal({setting.env: "wrong://user:p4ssword@host"}).message
    else:
        assert "p4ssword" not in refusal({setting.env: "p4ssword\0"}).message
    value = f"{setting.told.schemes[0]}://user:p4ssword@host/0" if setting.told.schemes else "p4ssword"
    settings = load({setting.env: value})
    assert getattr(settings, setting.name) == value
    assert "p4ssword" not in repr(settings)
    assert setting.name in repr(settings)
