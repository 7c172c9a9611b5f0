"""Limits on groups of calls: one counter for each value of what the calls are grouped by.

A policy looks at facts of a call that its usage record keeps too, so that what is counted while the call is made and
what is summed over records later are the same calls.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

import msgspec

from headgate.ledger.allowance import Allowance, Resource, Scope
from headgate.tenancy.limits import RateLimit, UsageLimit, Zone, allowances

METADATA: Final = "metadata."
KEYS: Final = (
    *("api_key", "provider", "virtual_key", "model", "config", "prompt"),
    *("endpoint_type", "workspace_id", "organisation_id", "tenant_id"),
)
"""What conditions and groups may look at, besides `metadata.<key>`. A virtual key is a provider by its older name."""
OF_THE_TARGET: Final = frozenset({"provider", "virtual_key", "model"})
"""Of these, what depends on where a call goes."""
OF_THE_CALL: Final = frozenset({"config", "prompt", "endpoint_type"})
"""And what a call chooses for itself, as it does metadata."""
ENDPOINT_TYPES: Final = (
    *("chat/completions", "completions", "embeddings", "responses", "messages", "messages/count_tokens"),
    *("moderations", "rerank", "images/generations", "images/edits", "images/variations"),
    *("audio/speech", "audio/transcriptions", "audio/translations", "prompts/{id}/completions"),
    *("responses/{id}", "responses/{id}/cancel", "responses/{id}/input_items"),
    *("batches", "batches/{id}", "batches/{id}/cancel", "files", "files/{id}", "files/{id}/content"),
)
"""The endpoints of calls: their paths below `/v1/`."""
ANY: Final = "*"
_SHOWN: Final = 128
"""Characters of a group's values in its name."""
_OWN: Final = frozenset({"api_key", "tenant_id", "workspace_id"})
_encode: Final = msgspec.json.Encoder().encode

Values = tuple[str | None, ...]
"""A group: the value of each key that the policy groups by; None where the call has none."""


class LimitKind(StrEnum):
    """A budget, or a rate."""

    USAGE = "usage"
    RATE = "rate"


class Facts(dict[str, str | None]):
    """What a call is, by key: those of `KEYS`, and its metadata."""

    def __missing__(self, key: str) -> None:
        return None


FACTS: Final = (
    *("organization_id", "workspace_id", "tenant_id", "key_id"),
    *("provider", "model", "endpoint", "config", "prompt", "metadata"),
)
"""The fields of a usage record that `facts_of` takes."""


def facts_of(
    *,
    organization_id: str,
    workspace_id: str,
    tenant_id: str | None,
    key_id: str,
    provider: str,
    model: str,
    endpoint: str,
    config: str,
    prompt: str,
    metadata: Mapping[str, str],
) -> Facts:
    """Of one call. `endpoint` is its path, for example `/v1/embeddings`. Empty: it has no config, no prompt."""
    return Facts(
        {f"{METADATA}{key}": value for key, value in metadata.items()},
        api_key=key_id,
        provider=provider,
        virtual_key=provider,
        model=f"@{provider}/{model}",
        endpoint_type=endpoint_type(endpoint),
        config=config or None,
        prompt=prompt or None,
        workspace_id=workspace_id,
        organisation_id=organization_id,
        tenant_id=tenant_id,
    )


def endpoint_type(path: str) -> str:
    """One of `ENDPOINT_TYPES`."""
    return path.removeprefix("/v1/")


@dataclass(frozen=True, slots=True)
class Condition:
    """The fact `key` is one of `values`, or with `excludes` none of them. A value may end in `*`; alone it is met by
    every call. A model is `@provider/model`."""

    key: str
    values: tuple[str, ...]
    excludes: bool = False

    def met_by(self, facts: Facts) -> bool:
        found = facts[self.key]
        return any(matches(value, found) for value in self.values) is not self.excludes

    def document(self) -> dict[str, Any]:
        """For storage; `Condition.stored` reads it back."""
        return {"key": self.key, "values": list(self.values), "excludes": self.excludes}

    @classmethod
    def stored(cls, document: Mapping[str, Any]) -> "Condition":
        return cls(document["key"], tuple(document["values"]), document["excludes"])


def matches(value: str, found: str | None) -> bool:
    """Whether a condition's value stands for what a call has there."""
    if value == ANY:
        return True
    if found is None:
        return False
    return found.startswith(value[:-1]) if value.endswith(ANY) else found == value


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPolicy:
    """One limit on every group of the calls that meet all conditions. It is a budget or a rate: of `usage_limits` and
    `rate_limits` together there is exactly one. Times are nanoseconds since the epoch."""

    id: str
    organization_id: str
    workspace_id: str | None = None
    """None: calls of all workspaces."""
    name: str
    limit_kind: LimitKind
    conditions: tuple[Condition, ...] = ()
    group_by: tuple[str, ...] = ()
    usage_limits: tuple[UsageLimit, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    usage_reset_at: int | None = None
    group_resets: tuple[tuple[str, int], ...] = ()
    """Ids of groups, each with when its count was begun anew."""
    created_at: int
    updated_at: int

    def group_of(self, facts: Facts) -> Values | None:
        """The group that a call counts in; None: the policy does not apply to it."""
        if facts["organisation_id"] != self.organization_id:
            return None
        if self.workspace_id is not None and facts["workspace_id"] != self.workspace_id:
            return None
        for condition in self.conditions:
            if not condition.met_by(facts):
                return None
        return tuple([facts[key] for key in self.group_by])

    def allowance(self, values: Values, zone: Zone) -> Allowance:
        """The group's."""
        group = self.group_id(values)
        reset_at = max(self.usage_reset_at or 0, dict(self.group_resets).get(group, 0)) or None
        scope = PolicyScope(
            "policy",
            f"{self.id}:{group}",
            self._name(values),
            hidden=self.workspace_id is None and not _OWN.intersection(self.group_by),
            policy=self,
            values=values,
        )
        (made,) = allowances(
            scope,
            self.usage_limits,
            self.rate_limits,
            zone=zone,
            usage_reset_at=reset_at,
            rates_reset_at=reset_at,
        )
        return made

    def group_id(self, values: Values) -> str:
        """It names the conditions too: counts of other calls are another counter."""
        counted = [[each.key, each.values, each.excludes] for each in self.conditions]
        return blake2b(_encode([counted, self.group_by, values]), digest_size=16).hexdigest()

    def _name(self, values: Values) -> str:
        shown = ", ".join(f"{key}={value}" for key, value in zip(self.group_by, values, strict=True))
        return f"{self.name} ({shown[:_SHOWN]})" if shown else self.name


@dataclass(frozen=True, slots=True)
class Sought:
    """Which policies are looked for; None: whatever they have there."""

    workspace_id: str | None = None
    resource: Resource | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyScope(Scope):
    """A policy's group, with all it takes to find its calls among the usage records."""

    policy: LimitPolicy
    values: Values

    @property
    def counts_attempts(self) -> bool:
        """Where the policy looks at where calls go."""
        keys = (*self.policy.group_by, *(each.key for each in self.policy.conditions))
        return not OF_THE_TARGET.isdisjoint(keys)


def groups_of(policies: Sequence[LimitPolicy], facts: Facts) -> Iterator[tuple[LimitPolicy, Values]]:
    """The policies that apply to a call, each with the call's group."""
    for policy in policies:
        if (values := policy.group_of(facts)) is not None:
            yield policy, values
