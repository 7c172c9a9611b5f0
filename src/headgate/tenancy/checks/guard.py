"""A guardrail as the data plane asks it: compiled when a policy is loaded, never by a call."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from headgate.tenancy.checks.check import ModelCheck, TextCheck
from headgate.tenancy.opinion import Opinion


@dataclass(frozen=True, slots=True)
class Guard:
    """One guardrail. It fails as soon as one of its checks does; the answers name that check by its id."""

    id: str
    slug: str
    name: str
    deny: bool
    """What fails is refused. Else it passes, and its usage record says so."""
    told: bool
    """Whether the client, too, is told of what failed and passed (status 246)."""
    model_checks: tuple[tuple[str, ModelCheck], ...] = ()
    text_checks: tuple[tuple[str, TextCheck], ...] = ()
    on_success: Opinion | None = None
    """What it thinks of a call that passes."""
    on_fail: Opinion | None = None

    @property
    def judges(self) -> bool:
        """Whether it gives feedback on calls."""
        return self.on_success is not None or self.on_fail is not None

    def model_failure(self, provider: str, model: str, metadata: Mapping[str, str]) -> str | None:
        """The first check that this model does not pass. None: it may be called."""
        return next((name for name, check in self.model_checks if not check(provider, model, metadata)), None)

    def text_failure(self, text: str) -> str | None:
        """The first check that this text does not pass. None: all pass."""
        return next((name for name, check in self.text_checks if not check(text)), None)


@dataclass(frozen=True, slots=True)
class Guards:
    """Those of a policy, in the order they are asked: the organization's, the workspace's, the default config's."""

    input: tuple[Guard, ...] = ()
    """For every call: before it is held."""
    output: tuple[Guard, ...] = ()
    """For every answer."""
    named: Mapping[str, Guard] = field(default_factory=dict)
    """All that a config may name here, by id and by slug."""

    def allow_model(self, provider: str, model: str, metadata: Mapping[str, str]) -> bool:
        """Whether no guardrail would refuse a call to this model, whatever the call says."""
        return all(not guard.deny or guard.model_failure(provider, model, metadata) is None for guard in self.input)
