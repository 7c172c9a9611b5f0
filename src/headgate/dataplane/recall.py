"""One call's dealings with the cache of its config: whether its answer is there, and whether to keep the one it gets.

An answer is kept under a digest of all that it came of, made with a key of this installation: whose call it was, where
it went, and every byte of every member of its request. So no other tenant's call, and no call that differs in anything,
can ever be given it, and nobody can say what was asked from the name it is kept under.
"""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from headgate.base.usage import UsageSource
from headgate.dataplane.answer_cache import AnswerCache, Scope
from headgate.dataplane.attempt import FORWARDED
from headgate.dataplane.call import OK, Call
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.recorded import Recorded
from headgate.ledger.record import HIT, Outcome
from headgate.tenancy.route_nodes import CacheRules

NAMESPACE: Final = b"x-portkey-cache-namespace"
REFRESH_ASKED: Final = b"x-portkey-cache-force-refresh"
STATUS: Final = b"x-portkey-cache-status"
MISS, REFRESH, DISABLED = "MISS", "REFRESH", "DISABLED"
LARGEST_REQUEST: Final = 1024 * 1024
"""Bytes of a request whose answer is looked for: a digest of more takes longer than it is worth."""
_LASTING: Final = ("background", "thread")
"""Members of a request that is more than its answer: it goes on at the provider, or changes what is kept there."""


@dataclass(frozen=True, slots=True)
class Cache:
    """`key` is this installation's own; `max_age_s` holds for configs that name none."""

    answers: AnswerCache
    key: bytes
    max_age_s: int

    def recall(self, exchange: Exchange, call: Call, rules: CacheRules | None) -> "Recall | None":
        """None: this call's answer is neither looked for nor kept."""
        if rules is None or not self.answers.largest or not call.endpoint.billed or call.endpoint.media:
            return None
        document = call.document
        if len(document.body) > LARGEST_REQUEST or any(document.value(name) for name in _LASTING):
            return None
        call.record_up_to = max(call.record_up_to, self.answers.largest)
        return Recall(self, exchange, call, self.max_age_s if rules.max_age_s is None else rules.max_age_s)


def digest_of(key: bytes, parts: Iterable[bytes]) -> bytes:
    """Another one for every other list of parts, and under every other key."""
    digest = hmac.new(key, digestmod="sha256")
    for part in parts:
        digest.update(b"%d:" % len(part))  # so that no two lists are the same bytes
        digest.update(part)
    return digest.digest()


class Recall:
    """Of one call, wherever it goes."""

    def __init__(self, cache: Cache, exchange: Exchange, call: Call, max_age_s: int) -> None:
        self._cache = cache
        self._exchange = exchange
        self._call = call
        self._max_age_s = max_age_s
        self._purges = cache.answers.purges
        self._refresh = (exchange.header(REFRESH_ASKED) or b"").strip().lower() == b"true"

    def answer(self) -> bytes | None:
        """The one that is there for the call as it is now; its cache status follows."""
        call = self._call
        found = None if self._refresh else self._cache.answers.get(self._name(), self._max_age_s)
        call.cache_status = REFRESH if self._refresh else MISS if found is None else HIT
        return found

    def keep(self) -> None:
        """Its answer has gone to the client: keep it if it is whole and good, as the provider gave it."""
        call = self._call
        answer = call.dialogue
        if call.outcome is not Outcome.OK or call.status != OK or call.guardrails or not isinstance(answer, Recorded):
            return
        usage, body = answer.usage, answer.body
        if usage is None or usage.source is not UsageSource.PROVIDER or body is None:
            return
        if self._purges != self._cache.answers.purges:
            return
        policy = call.policy
        scope = Scope(policy.organization_id, policy.workspace_id, policy.tenant_id)
        self._cache.answers.put(self._name(), scope, body, self._max_age_s)

    def _name(self) -> bytes:
        return digest_of(self._cache.key, self._parts())

    def _parts(self) -> Iterator[bytes]:
        call, exchange = self._call, self._exchange
        policy, target, document = call.policy, call.target, call.document
        provider = target.provider
        tenant = "" if policy.tenant_id is None else policy.tenant_id
        for text in (policy.organization_id, policy.workspace_id, tenant, call.endpoint.path):
            yield text.encode()
        yield exchange.header(NAMESPACE) or b""
        for text in (provider.integration_id, provider.slug, provider.base_url, target.model, target.format):
            yield text.encode()
        yield b"%d" % call.head.stream
        yield b"" if call.max_tokens is None else b"%d" % call.max_tokens
        for header in FORWARDED.get(call.endpoint.format, ()):
            yield exchange.header(header) or b""
        for name in sorted(document.names()):
            yield name.encode()
            yield document.get(name) or b""
