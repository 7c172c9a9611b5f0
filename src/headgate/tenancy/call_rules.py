"""The configs and guardrails of a workspace, compiled once for all its keys."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from headgate.base.errors import InvalidRequest, Unavailable
from headgate.tenancy import route_config
from headgate.tenancy.checks.guard import Guard, Guards
from headgate.tenancy.config import Config
from headgate.tenancy.guardrail import Guardrail
from headgate.tenancy.guardrail_rules import guard_of
from headgate.tenancy.organization import Organization
from headgate.tenancy.route_config import RouteConfig
from headgate.tenancy.workspace import Workspace


@dataclass(frozen=True, slots=True)
class CallRules:
    """What holds for calls of a workspace, by the config that they have from their key."""

    configs: Mapping[str, RouteConfig] = field(default_factory=dict)
    """By slug."""
    default: str | None = None
    """The config of keys that have none."""
    allow_override: bool = True
    guards: Mapping[str | None, Guards | None] = field(default_factory=dict)
    """By the slug of the default config; None where there is neither a guardrail nor one that a config could name."""

    def config_of(self, slug: str | None) -> RouteConfig | None:
        """A key's default config. Raises `Unavailable` where it cannot be used: its calls do not go on without it."""
        wanted = slug or self.default
        if wanted is None:
            return None
        if (config := self.configs.get(wanted)) is None:
            raise Unavailable(f"The config `{wanted}` of this API key cannot be read by this version of Headgate.")
        return config

    def guards_of(self, slug: str | None) -> Guards | None:
        """The guardrails of calls of a key with this default config."""
        return self.guards.get(slug or self.default)


NO_RULES = CallRules()


def call_rules(
    organization: Organization, workspace: Workspace, configs: Sequence[Config], guardrails: Sequence[Guardrail]
) -> CallRules:
    """Raises `Unavailable` where a guardrail that is attached cannot be asked (the package of its check is not
    installed here): what it guards is then refused."""
    read = _read(configs)
    named = _named(guardrails)

    def guards(config: RouteConfig | None) -> Guards | None:
        if not guardrails:
            return None
        of_input = (*organization.input_guardrails, *workspace.input_guardrails)
        of_output = (*organization.output_guardrails, *workspace.output_guardrails)
        if config is not None:
            of_input += config.input_guardrails
            of_output += config.output_guardrails
        return Guards(_attached(of_input, named), _attached(of_output, named), named)

    return CallRules(
        configs=read,
        default=workspace.config_id,
        allow_override=workspace.allow_config_override,
        guards={None: guards(None), **{slug: guards(config) for slug, config in read.items()}},
    )


def _read(configs: Iterable[Config]) -> dict[str, RouteConfig]:
    """Those in force. One that an older version wrote and this one cannot read is as good as not there."""
    found = {}
    for config in configs:
        if not config.archived:
            try:
                found[config.slug] = route_config.parse(config.document, config.slug)
            except InvalidRequest:
                continue
    return found


def _named(guardrails: Iterable[Guardrail]) -> dict[str, Guard]:
    """By id and by slug; without those whose checks are not installed."""
    found = {}
    for guardrail in guardrails:
        try:
            guard = guard_of(guardrail)
        except InvalidRequest:
            continue
        found[guardrail.id] = found[guardrail.slug] = guard
    return found


def _attached(references: Iterable[str], named: Mapping[str, Guard]) -> tuple[Guard, ...]:
    """In their order, each once."""
    found: dict[str, Guard] = {}
    for reference in references:
        if (guard := named.get(reference)) is None:
            raise Unavailable(
                f"The guardrail `{reference}` of this workspace cannot be asked: a check is not installed."
            )
        found[guard.id] = guard
    return tuple(found.values())
