"""The settings of Headgate. This file is the only place where a setting is declared; its documentation is checked."""

from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, get_args, get_type_hints

from headgate.settings.setting import Is, Setting

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """What one process runs with. Durations are seconds, sizes bytes: the unit is in the name."""

    config: Annotated[
        Path | None, Is("The configuration file. Without it, `headgate.toml` in the working directory.")
    ] = None

    # Where it listens
    host: Annotated[str, Is("The address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Is("The port to listen on. 0 takes a free one and prints it.", low=0, high=65535)] = 8787
    workers: Annotated[int, Is("Processes that take calls. More than one need `redis_url`.", low=1, high=256)] = 1
    url: Annotated[
        str | None,
        Is(
            "Where people, their programs and the administration commands reach it: links for the portal and for "
            "invites begin with it. Without it, the address that it listens on.",
            schemes=("http", "https"),
        ),
    ] = None

    # What stands before it
    trusted_proxies: Annotated[
        str | None,
        Is(
            "The proxies that may say, in `X-Forwarded-For`, whom a request to the control plane, the console or the "
            "portal came from. Without it nobody may, and the address of the connection counts.",
            networks=True,
        ),
    ] = None
    country_header: Annotated[
        str | None,
        Is(
            "The header in which those proxies tell the client's country, in two letters, for the audit log: "
            "`CF-IPCountry`, for example. Needs `trusted_proxies`."
        ),
    ] = None

    # Where it stores
    data_dir: Annotated[Path, Is("The directory of the database, the journal, the lock and the master key file.")] = (
        Path(".headgate")
    )
    database_url: Annotated[
        str | None,
        Is("A PostgreSQL database. Without it, SQLite in the data directory.", schemes=("postgresql",), secret=True),
    ] = None
    database_pooler: Annotated[
        bool,
        Is(
            "Whether a pooler that gives each transaction another connection stands before PostgreSQL, as PgBouncer "
            "does in its transaction mode. Then changes by other processes are looked for, twice a second, and not "
            "heard of at once."
        ),
    ] = False
    database_lost_after_s: Annotated[
        float,
        Is(
            "How long a process may not have heard from PostgreSQL before it takes no calls: keys may have been "
            "revoked. It goes on once it has caught up.",
            low=2,
            high=86_400,
        ),
    ] = 30.0
    redis_url: Annotated[
        str | None,
        Is(
            "The Redis or Valkey through which processes share allowances: one server, Sentinels or a cluster. Needs "
            "`database_url`.",
            schemes=("redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"),
            secret=True,
        ),
    ] = None
    process_lost_after_s: Annotated[
        float | None,
        Is(
            "After how long a process that shares allowances, and that nobody has seen since, is taken for lost with "
            "its disk: what it had borrowed is lent anew. Without it, once no call that it let in can be under way.",
            low=60,
            high=7 * 86_400,
        ),
    ] = None
    journal_sync: Annotated[
        str,
        Is(
            "`group` has the disk confirm what was decided before it is acted on, many calls at a time; `off` leaves "
            "that to the operating system, which survives the death of the process but not a power cut.",
            choices=("off", "group"),
        ),
    ] = "off"

    # How long it keeps things
    usage_retention_days: Annotated[
        int | None,
        Is(
            "For how many days usage records are kept at least; without it, for good. On PostgreSQL a month goes as a "
            "whole, once all of it is that old.",
            low=45,
            high=36_500,
        ),
    ] = None
    rollup_retention_days: Annotated[
        int | None,
        Is("For how many days the sums behind analytics are kept; without it, for good.", low=45, high=36_500),
    ] = None
    log_retention_days: Annotated[
        int | None,
        Is("For how many days logs that were sent in are kept; without it, for good.", low=1, high=36_500),
    ] = None
    response_retention_days: Annotated[
        int,
        Is(
            "For how many days it is known whose a response is that a provider keeps (OpenAI does for 30). Then it is "
            "nobody's. Files are known until they are deleted, batches as long as usage records.",
            low=1,
            high=36_500,
        ),
    ] = 30
    alert_retention_days: Annotated[
        int,
        Is("For how many days alerts that went out are kept, with every attempt at them.", low=1, high=3_650),
    ] = 30

    # Secrets and the first start
    master_key: Annotated[
        str | None,
        Is(
            "What provider credentials are encrypted under: 32 bytes in base64. Behind a comma, older keys that may "
            "still open records. Without it, the file `master.key` in the data directory.",
            secret=True,
        ),
    ] = None
    admin_key: Annotated[
        str | None,
        Is(
            "For `serve`, the organization admin key that the first start creates instead of a random one. For the "
            "administration commands, the key they use.",
            secret=True,
        ),
    ] = None
    adopt_keys: Annotated[
        bool,
        Is("Whether the first start makes integrations of the provider keys it finds in the environment."),
    ] = False

    # The console
    session_idle_s: Annotated[
        int, Is("How long a session of the console may rest before it is over.", low=60, high=2_592_000)
    ] = 43_200
    session_lifetime_s: Annotated[
        int, Is("How long a session of the console lasts at most, whatever is done with it.", low=60, high=31_536_000)
    ] = 604_800

    # Single sign-on
    oidc_issuer: Annotated[
        str | None,
        Is(
            "The issuer of identities with which people sign in to the console and the portal, as it calls itself: "
            "`https://login.example.com`. Needs `oidc_client_id`.",
            schemes=("https", "http"),
        ),
    ] = None
    oidc_client_id: Annotated[str | None, Is("What Headgate is called at the issuer.")] = None
    oidc_client_secret: Annotated[
        str | None, Is("Its secret there. Without it Headgate is a public client, with PKCE alone.", secret=True)
    ] = None
    oidc_scopes: Annotated[str, Is("What the issuer is asked for.")] = "openid email profile"
    oidc_domains: Annotated[
        str | None,
        Is("The domains that e-mail addresses may be of, with commas between them. Without it, all."),
    ] = None
    oidc_default_role: Annotated[
        str | None,
        Is(
            "The role of users who are made when somebody signs in for the first time. Without it nobody is made: who "
            "is no user needs an invite.",
            choices=("member", "admin"),
        ),
    ] = None
    oidc_default_workspace: Annotated[
        str | None, Is("The slug of the workspace that members who are made so belong to, as members.")
    ] = None

    # What a client may send, and how slowly
    max_body_bytes: Annotated[int, Is("The largest request body.", low=1024, high=1024 * MIB)] = 32 * MIB
    max_header_bytes: Annotated[int, Is("The largest request head, all lines together.", low=1024, high=MIB)] = 65536
    max_headers: Annotated[int, Is("The most header lines of a request.", low=8, high=1000)] = 100
    max_connections: Annotated[
        int, Is("The most connections of clients, and to one provider.", low=1, high=1_000_000)
    ] = 10_000
    head_timeout_s: Annotated[float, Is("How long a client may take to send a request head.", low=0.1, high=600)] = 10.0
    body_timeout_s: Annotated[float, Is("How long a client may take to send a request body.", low=0.1, high=3600)] = (
        60.0
    )
    heartbeat_s: Annotated[
        float,
        Is(
            "The longest silence in a client's stream: then a comment is sent, so that no proxy on the way takes the "
            "connection for dead. 0: none is.",
            low=0,
            high=3600,
        ),
    ] = 15.0
    write_timeout_s: Annotated[
        float, Is("How long a client may leave its answer unread before it is cut off.", low=0.1, high=3600)
    ] = 30.0
    keep_alive_s: Annotated[float, Is("How long a client connection may rest.", low=0.1, high=3600)] = 75.0

    # How long a provider may take
    connect_timeout_s: Annotated[
        float, Is("How long connecting to a provider may take, TLS included.", low=0.05, high=300)
    ] = 10.0
    first_byte_timeout_s: Annotated[
        float, Is("How long a provider may think before its answer begins.", low=0.1, high=7200)
    ] = 600.0
    idle_timeout_s: Annotated[float, Is("How long a provider may pause within its answer.", low=0.1, high=7200)] = 300.0
    total_timeout_s: Annotated[float, Is("How long a provider may take for one whole answer.", low=0.1, high=86400)] = (
        3600.0
    )
    max_answer_bytes: Annotated[
        int, Is("The largest answer that is read as a whole; streams have no limit.", low=1024, high=1024 * MIB)
    ] = 64 * MIB
    allow_private_upstreams: Annotated[
        bool,
        Is(
            "Whether an integration, or the issuer of single sign-on, may be at a private or loopback address. "
            "Link-local ones never may."
        ),
    ] = True

    # How alerts go out
    allow_private_webhooks: Annotated[
        bool,
        Is(
            "Whether a webhook may be http, and at a private or loopback address. Link-local ones never may, and "
            "without this only https may."
        ),
    ] = False
    smtp_url: Annotated[
        str | None,
        Is(
            "The mail server for letters: `smtp://user:password@host:587` (TLS as soon as the server offers it), or "
            "`smtps://`. Without it alerts go to webhooks only, and invites are not mailed.",
            schemes=("smtp", "smtps"),
            secret=True,
        ),
    ] = None
    smtp_from: Annotated[str, Is("The address letters come from.")] = "headgate@localhost"

    # How a call ends
    default_max_output_tokens: Annotated[
        int,
        Is("The output a call is held for where neither it nor the catalog names a limit.", low=1, high=10_000_000),
    ] = 16384
    drain_timeout_s: Annotated[
        float,
        Is("How long running calls may go on after SIGTERM before they are ended with an error.", low=0, high=3600),
    ] = 30.0
    read_after_hangup_s: Annotated[
        float,
        Is(
            "How long a provider is read on for its usage after the client has hung up. 0 closes at once and counts "
            "the call as an estimate.",
            low=0,
            high=600,
        ),
    ] = 20.0

    # Answers that are given again
    cache_max_bytes: Annotated[
        int,
        Is(
            "What the answers of configs with a `cache` may take of memory, all together. 0: nothing is cached.",
            low=0,
            high=64 * 1024 * MIB,
        ),
    ] = 64 * MIB
    cache_max_age_s: Annotated[
        int,
        Is("How long an answer is given again where its config does not say.", low=1, high=30 * 24 * 3600),
    ] = 3600
    idempotency_max_bytes: Annotated[
        int,
        Is("The largest answer to a call with an `Idempotency-Key` that is kept.", low=1024, high=64 * MIB),
    ] = MIB

    # What it says
    log_level: Annotated[str, Is("What is logged.", choices=("debug", "info", "warning", "error"))] = "info"
    metrics_token: Annotated[
        str | None,
        Is(
            "Who sends this as a bearer may read `/metrics`. Without it only a caller on the same machine may, and "
            "only one that no proxy stands before.",
            secret=True,
        ),
    ] = None
    otlp_endpoint: Annotated[
        str | None,
        Is(
            "Where traces go: the base URL of an OpenTelemetry collector that takes OTLP over HTTP, such as "
            "`http://localhost:4318`. Needs the extra `headgate[otel]`.",
            schemes=("http", "https"),
        ),
    ] = None
    log_format: Annotated[
        str,
        Is("How it is logged. `auto` is `console` on a terminal, else `json`.", choices=("auto", "console", "json")),
    ] = "auto"

    @property
    def reached_at(self) -> str:
        """`url`, or else where this machine finds `host` and `port`."""
        if self.url is not None:
            return self.url
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def __repr__(self) -> str:
        shown = (
            f"{setting.name}={'***' if setting.told.secret and value is not None else value!r}"
            for setting in SETTINGS
            if (value := getattr(self, setting.name)) != setting.default
        )
        return f"Settings({', '.join(shown)})"


def _declared() -> tuple[Setting, ...]:
    hints = get_type_hints(Settings, include_extras=True)
    return tuple(_setting(each.name, hints[each.name], each.default) for each in fields(Settings))


def _setting(name: str, hint: Any, default: object) -> Setting:
    declared, told = get_args(hint)
    optional = isinstance(declared, UnionType)
    kind = next(kind for kind in get_args(declared) if kind is not NoneType) if optional else declared
    return Setting(name, kind, optional, default, told)


SETTINGS: Final = _declared()
