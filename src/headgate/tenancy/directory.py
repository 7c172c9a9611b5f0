"""Policies by API key, in memory: what the data plane asks once per call.

A change made in this process takes effect before its administrator gets an answer; one made elsewhere (another node,
a command) as soon as `tenancy.following` hears of it.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import NotFound, Unauthenticated, Unavailable
from headgate.base.tasks import Tasks
from headgate.ledger.allowance import Allowance
from headgate.tenancy import keys
from headgate.tenancy.administration import Touched
from headgate.tenancy.api_key import ApiKey
from headgate.tenancy.following import Contact
from headgate.tenancy.policy import Policy, Provider
from headgate.tenancy.policy_loader import KeyPart, PolicyLoader, WorkspacePart, policy_of

T = TypeVar("T")

Prepare = Callable[[Sequence[Allowance]], Awaitable[None]]
UNKNOWN_NANOS: Final = NANOS_PER_SECOND
"""How long it is remembered that there is no such key."""
MOST_UNKNOWN: Final = 10_000
MOST_ACTING: Final = 10_000
"""Tenants for which one key acts, in memory."""


@dataclass(slots=True)
class _Entry:
    hash: bytes
    policy: Policy
    version: int
    proven: str = field(default="", repr=False)
    """The key itself, once its HMAC was right: comparing it again costs a tenth of computing the HMAC again."""
    previous_hash: bytes | None = None
    """Of the secret before a rotation, which is as good until `previous_until`."""
    previous_until: int = 0
    acting: dict[str, Policy | None] = field(default_factory=dict)
    """By the tenant it named, its policy while it acts for it; None: there is none. As old as the key's own."""


class Directory:
    """`report` gets what went wrong in the background. `prepare` is awaited with the allowances of every policy before
    that policy is in force. While contact with the database is lost, nobody is let in."""

    def __init__(
        self,
        loader: PolicyLoader,
        pepper: bytes,
        clock: Clock,
        report: Callable[[str, BaseException], None],
        prepare: Prepare | None = None,
        contact: Contact | None = None,
    ) -> None:
        self._loader = loader
        self._pepper = pepper
        self._clock = clock
        self._prepare = prepare
        self.contact = contact or Contact(clock)
        self._tasks = Tasks(report)
        self._entries: dict[str, _Entry] = {}
        self._workspaces: dict[str, WorkspacePart] = {}
        self._unknown: dict[str, int] = {}
        self._loading: dict[str, asyncio.Task[Any]] = {}
        self._known_version = 0
        self._invalidations = 0

    def __len__(self) -> int:
        """Policies in memory."""
        return len(self._entries)

    def lookup(self, text: str) -> Policy | None:
        """From memory, without waiting; None if it must be loaded. Raises `Unauthenticated`, or `Unavailable` while
        what is in memory may be older than it may be."""
        if self.contact.lost:
            raise _out_of_contact()
        if (entry := self._entries.get(keys.claimed_id(text))) is not None:
            return self._admit(entry, text)
        parsed = keys.parse(text) or keys.chosen(text)
        if parsed is not None and (entry := self._entries.get(parsed.id)) is not None:
            return self._admit(entry, text)
        if parsed is None or self._unknown.get(parsed.id, 0) > self._clock.monotonic():
            raise _invalid()
        return None

    async def load(self, text: str) -> Policy:
        """From the store; callers with the same key share one read. Raises `Unauthenticated`, or `Unavailable`."""
        parsed = keys.parse(text) or keys.chosen(text)
        if parsed is None:
            raise _invalid()
        entry = await self._once(f"key {parsed.id}", lambda: self._load(parsed.id))
        if entry is None:
            raise _invalid()
        return self._admit(entry, text)

    async def authenticate(self, text: str) -> Policy:
        """From memory where it is there, else from the store."""
        return self.lookup(text) or await self.load(text)

    async def vouched(self, key_id: str, digest: bytes) -> Policy:
        """The policy of a key that was shown before, by the HMAC of what was shown: it must still be good. Raises
        `Unauthenticated`."""
        if self.contact.lost:
            raise _out_of_contact()
        entry = self._entries.get(key_id) or await self._once(f"key {key_id}", lambda: self._load(key_id))
        if entry is None:
            raise _invalid()
        self._match(entry, digest)
        return self._unexpired(entry)

    async def acting(self, policy: Policy, tenant: str) -> Policy:
        """What holds for a key while it acts for a tenant of its workspace, by slug or id. Raises `NotFound`, the same
        for an absent and a foreign tenant."""
        entry = self._entries.get(policy.key_id)
        if entry is not None and tenant in entry.acting:
            found = entry.acting[tenant]
        else:
            name = f"key {policy.key_id} for {tenant}"
            found = await self._once(name, lambda: self._load_acting(policy.key_id, tenant))
        if found is None:
            raise NotFound(
                f"There is no tenant `{tenant[:100]}` in this workspace.", param="tenant_id", code="tenant_not_found"
            )
        return found

    async def guest(self, key: ApiKey) -> Policy:
        """What holds for a guest of a tenant who shows no key: `key` says what he could have, and is in no store. It is
        made anew each time. Raises `Unauthenticated` where there is no such tenant any more."""
        entry = await self._made(lambda: self._loader.guest(key))
        if entry is None:
            raise _invalid()
        return entry.policy

    def changed(self, touched: Touched) -> None:
        """A change was committed by this process: forget what it touched."""
        self._invalidations += 1
        if touched.organization or touched.version > self._known_version + 1:
            self._forget_before(touched.version)
        self._known_version = max(self._known_version, touched.version)
        for key_id in touched.keys:
            self._entries.pop(key_id, None)
            self._unknown.pop(key_id, None)
        for workspace_id in touched.workspaces:
            self._workspaces.pop(workspace_id, None)
        if touched.workspaces:
            stale = [each for each, e in self._entries.items() if e.policy.workspace_id in touched.workspaces]
            for key_id in stale:
                del self._entries[key_id]

    async def poll(self) -> None:
        """Look whether somebody else changed something, and forget what may be stale. Raises `Unavailable`."""
        await self.follow(await self._loader.version())

    async def follow(self, version: int) -> None:
        """There have been so many changes."""
        if version > self._known_version:
            self._invalidations += 1
            self._forget_before(version)
            self._known_version = version

    async def provider(self, organization_id: str, workspace_id: str, integration_id: str) -> Provider | None:
        """The workspace's own of this integration. None: it has none, or is gone. Raises `Unavailable`."""
        workspace = await self._workspace(organization_id, workspace_id)
        providers = workspace.providers.values() if workspace is not None else ()
        return next((each for each in providers if each.integration_id == integration_id), None)

    async def reload(self, callers: Iterable[tuple[str, str | None]]) -> None:
        """Once it returns, the policies of these are in force as they are now: ids of a key, and of the tenant it acts
        for. Those that are gone are left out. Raises `Unavailable`."""
        for key_id, tenant_id in callers:
            entry = self._entries.get(key_id) or await self._once(f"key {key_id}", partial(self._load, key_id))
            if entry is None or tenant_id in (None, entry.policy.tenant_id) or tenant_id in entry.acting:
                continue
            await self._once(f"key {key_id} for {tenant_id}", partial(self._load_acting, key_id, tenant_id))

    async def close(self) -> None:
        await self._tasks.close()

    def _admit(self, entry: _Entry, text: str) -> Policy:
        if not hmac.compare_digest(entry.proven.encode(), text.encode()):
            digest = keys.hash_key(text, self._pepper)
            if self._match(entry, digest):
                entry.proven = text
        return self._unexpired(entry)

    def _unexpired(self, entry: _Entry) -> Policy:
        expires_at = entry.policy.expires_at
        if expires_at is not None and expires_at <= self._clock.now():
            raise Unauthenticated("This API key has expired.", code="01")
        return entry.policy

    def _match(self, entry: _Entry, digest: bytes) -> bool:
        """Whether it is the present secret's HMAC; False: the one's before, which is not remembered, because its end
        is looked at with every call. Raises `Unauthenticated` for any other."""
        if hmac.compare_digest(entry.hash, digest):
            return True
        previous = entry.previous_hash
        if previous is None or entry.previous_until <= self._clock.now() or not hmac.compare_digest(previous, digest):
            raise _invalid()
        return False

    async def _load(self, key_id: str) -> _Entry | None:
        entry = await self._made(lambda: self._loader.key(key_id))
        if entry is None:
            self._remember_unknown(key_id)
        else:
            self._entries[key_id] = entry
        return entry

    async def _load_acting(self, key_id: str, tenant: str) -> Policy | None:
        made = await self._made(lambda: self._loader.key(key_id, tenant))
        policy = None if made is None else made.policy
        if (entry := self._entries.get(key_id)) is not None:
            if len(entry.acting) >= MOST_ACTING:
                del entry.acting[next(iter(entry.acting))]
            entry.acting[tenant] = policy
        return policy

    async def _made(self, load: Callable[[], Awaitable[KeyPart | None]]) -> _Entry | None:
        """From the store, as of now."""
        while True:
            before = self._invalidations
            part = await load()
            entry = None if part is None else await self._entry(part)
            if self._invalidations != before or (entry is not None and entry.version < self._known_version):
                continue  # something changed while it was read: what was read may be from before
            if entry is not None and self._prepare is not None:
                await self._prepare(_allowances(entry.policy))
                if self._invalidations != before:
                    continue
            return entry

    async def _entry(self, part: KeyPart) -> _Entry | None:
        key = part.key
        workspace = None
        if key.workspace_id is not None:
            workspace = await self._workspace(key.organization_id, key.workspace_id)
            if workspace is None:
                return None
        return _Entry(
            key.hash,
            policy_of(part, workspace),
            part.version,
            previous_hash=key.previous_hash,
            previous_until=key.previous_until or 0,
        )

    async def _workspace(self, organization_id: str, workspace_id: str) -> WorkspacePart | None:
        async def load() -> WorkspacePart | None:
            before = self._invalidations
            part = await self._loader.workspace(organization_id, workspace_id)
            if part is not None and self._invalidations == before and part.version >= self._known_version:
                self._workspaces[workspace_id] = part
            return part

        while (part := self._workspaces.get(workspace_id)) is None:
            part = await self._once(f"workspace {workspace_id}", load)
            if part is None or part.version >= self._known_version:
                break  # else somebody started this read before a change that is known by now
        return part

    async def _once(self, name: str, load: Callable[[], Awaitable[T]]) -> T:
        """Run it unless it runs already; one caller that gives up does not end it for the others."""

        async def run() -> T:
            try:
                return await load()
            finally:
                del self._loading[name]

        if (task := self._loading.get(name)) is None:
            task = self._loading[name] = self._tasks.start(run(), name)
        result: T = await asyncio.shield(task)
        return result

    def _forget_before(self, version: int) -> None:
        self._unknown.clear()
        self._entries = {key_id: entry for key_id, entry in self._entries.items() if entry.version >= version}
        self._workspaces = {each: part for each, part in self._workspaces.items() if part.version >= version}

    def _remember_unknown(self, key_id: str) -> None:
        if len(self._unknown) >= MOST_UNKNOWN:
            self._unknown.clear()
        self._unknown[key_id] = self._clock.monotonic() + UNKNOWN_NANOS


def _allowances(policy: Policy) -> list[Allowance]:
    of_integrations = (allowance for provider in policy.providers.values() for allowance in provider.allowances)
    return [*policy.allowances, *of_integrations]


def _out_of_contact() -> Unavailable:
    return Unavailable(
        "Headgate takes no calls: it has not heard from its database for too long, and keys may have been revoked.",
        code="database_lost",
        retry_after=1.0,
    )


def _invalid() -> Unauthenticated:
    # The same words for a malformed, an unknown and a revoked key and for a wrong secret.
    return Unauthenticated("This API key is not valid.", code="03")
