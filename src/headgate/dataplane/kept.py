"""What lives at a provider and belongs to a caller: noted when it is made, looked up when it is named again.

Whoever made it finds it; for everybody else it does not exist. What was just made is found in memory until it is
written down, so that the very next call can name it.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from headgate.base.clock import Clock
from headgate.base.errors import HeadgateError, InvalidRequest, NotFound
from headgate.base.tasks import Tasks
from headgate.dataplane.batch_watch import BatchWatch
from headgate.dataplane.call import Call
from headgate.dataplane.endpoints import MESSAGES, RESPONSES
from headgate.dataplane.remembered import Noting
from headgate.tenancy.kept_object import KeptObject, KeptObjects, Owner
from headgate.tenancy.policy import Policy, Provider
from headgate.wire.document import Document

IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
MOST_NAMED: Final = 200
"""Objects that one request may name."""
TRY_AGAIN_S: Final = 1.0
LAST_WRITES_S: Final = 5.0
_TOLD_AGAIN: Final = ("thread", "diagnostics")
"""Members of a message by whose answer's id a later one may name it."""
_RUNNING: Final = (b'"code_', b'"shell"', b'"web_')
"""How the types of tools begin with which a provider runs code."""


class Kept:
    """One per process."""

    def __init__(self, objects: KeptObjects, clock: Clock, tasks: Tasks, batches: BatchWatch) -> None:
        self.batches = batches
        """Those that are not ended."""
        self._objects = objects
        self._clock = clock
        self._tasks = tasks
        self._fresh: dict[tuple[str, str], KeptObject] = {}

    def watch(self, call: Call) -> None:
        """Where the call's answer will live on at its provider: have it noted when its id is seen."""
        document, kind = call.document, ""
        if call.endpoint is RESPONSES:
            kind = "" if document.value("store") is False else "response"
        elif call.endpoint is MESSAGES:
            kind = "message" if any(document.value(name) is not None for name in _TOLD_AGAIN) else ""
        else:
            return
        container = partial(self.note, call, "container") if _runs_code(document) else None
        if kind or container is not None:
            call.noted = Noting(partial(self.note, call, kind) if kind else None, container)

    def note(self, call: Call, kind: str, identifier: str, document: str = "") -> None:
        """The call made this. It is found from now on."""
        if IDENTIFIER.fullmatch(identifier) is None:
            return
        owner = owner_of(call.policy)
        made = KeptObject(
            id=identifier,
            integration_id=call.target.provider.integration_id,
            kind=kind,
            organization_id=owner.organization_id,
            workspace_id=owner.workspace_id,
            tenant_id=owner.tenant_id,
            key_id=owner.key_id,
            model=call.target.model,
            created_at=self._clock.now(),
            document=document,
        )
        self._fresh[made.id, made.integration_id] = made
        self._tasks.start(self._write(made), "noting what a call made")

    async def find(self, policy: Policy, kind: str, identifier: str) -> KeptObject:
        """Raises `NotFound`, for what is somebody else's as for what is not."""
        if IDENTIFIER.fullmatch(identifier) is not None:
            for found in await self._named([identifier]):
                if found.kind == kind and found.belongs_to(owner_of(policy)):
                    return found
        raise NotFound(f"There is no {kind} `{identifier[:200]}` here.", param="id")

    async def listed(self, policy: Policy, kind: str) -> list[KeptObject]:
        """The caller's own, the newest first."""
        owner = owner_of(policy)
        found = {(each.id, each.integration_id): each for each in await self._objects.of(owner, kind)}
        fresh = [each for each in self._fresh.values() if each.kind == kind and each.belongs_to(owner)]
        found |= {(each.id, each.integration_id): each for each in fresh}
        return sorted(found.values(), key=lambda each: (-each.created_at, each.id))

    async def shown(self, found: KeptObject, document: str) -> None:
        """The provider has just shown it so."""
        await self._objects.put(replace(found, document=document))

    async def gone(self, found: KeptObject) -> None:
        """It was deleted."""
        self._fresh.pop((found.id, found.integration_id), None)
        await self._objects.remove(found)

    async def check(self, call: Call, references: Sequence[str]) -> None:
        """That all of these are the caller's own and live where the call goes. Raises `NotFound` for what is not, and
        `InvalidRequest` for what lives elsewhere."""
        if len(references) > MOST_NAMED:
            raise InvalidRequest(f"The request names more than {MOST_NAMED} things that are kept at the provider.")
        owner, provider = owner_of(call.policy), call.target.provider
        found: dict[str, list[KeptObject]] = {}
        for each in await self._named([name for name in references if IDENTIFIER.fullmatch(name)]):
            if each.belongs_to(owner):
                found.setdefault(each.id, []).append(each)
        for name in references:
            if name not in found:
                what, details = f"Nothing is kept here for you as `{name[:200]}`.", _lost(call, name)
                raise NotFound(what, param=name[:200], details=details)
            if all(each.integration_id != provider.integration_id for each in found[name]):
                raise InvalidRequest(
                    f"`{name}` does not live at the provider `@{provider.slug}`, where this model is. Name a model of "
                    "the provider that it was made at.",
                    param=name,
                    code="lives_elsewhere",
                    details=_lost(call, name),
                )

    async def close(self) -> None:
        """Write down what is not written yet, as far as the database takes it."""
        await self._tasks.wait(LAST_WRITES_S)
        await self._tasks.close()

    async def _named(self, identifiers: Sequence[str]) -> list[KeptObject]:
        if not identifiers:
            return []
        fresh = [each for each in self._fresh.values() if each.id in identifiers]
        known = {(each.id, each.integration_id) for each in fresh}
        stored = await self._objects.named(identifiers)
        return [*fresh, *(each for each in stored if (each.id, each.integration_id) not in known)]

    async def _write(self, made: KeptObject) -> None:
        name = made.id, made.integration_id
        while self._fresh.get(name) is made:
            try:
                await self._objects.put(made)
            except HeadgateError:
                await asyncio.sleep(TRY_AGAIN_S)
            else:
                if self._fresh.get(name) is made:
                    del self._fresh[name]


def _runs_code(document: Document) -> bool:
    """Whether its answer may tell of a container. In bytes: a request that hides it behind escapes finds none again."""
    tools = document.get("tools") or b""
    return any(word in tools for word in _RUNNING) or document.get("container") is not None


def owner_of(policy: Policy) -> Owner:
    return Owner(policy.organization_id, policy.workspace_id, policy.tenant_id, policy.key_id)


def _lost(call: Call, name: str) -> Mapping[str, str]:
    """Where it is a thread that cannot go on: what makes Anthropic's SDK start another one with all that was said."""
    thread = call.document.value("thread") if call.endpoint is MESSAGES else None
    goes_on = isinstance(thread, dict) and thread.get("previous_message_id") == name
    return {"error_code": "thread_not_found"} if goes_on else {}


def provider_of(policy: Policy, found: KeptObject) -> Provider:
    """Raises `NotFound` where the caller has no such provider any more."""
    for provider in policy.providers.values():
        if provider.integration_id == found.integration_id:
            return provider
    raise NotFound(f"There is no {found.kind} `{found.id}` here.", param="id")
