"""Steps 3 and 4 for where a call goes now: whether it may, the most it can cost there, and what is to be sent."""

from typing import Final

from headgate.base.abreast import abreast
from headgate.catalog.bound import Bounds
from headgate.catalog.catalog import Catalog
from headgate.dataplane import admit
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.converse import converse
from headgate.dataplane.downgrade import Downgrader
from headgate.dataplane.groups import Groups
from headgate.dataplane.guard import guard_request
from headgate.dataplane.kept import Kept
from headgate.dataplane.limits import Limits
from headgate.dataplane.ration import ration
from headgate.tenancy.checks.guard import Guards
from headgate.tenancy.route_nodes import NO_TERMS, Terms

NO_GUARDS: Final = Guards()


class Preparation:
    """One per pipeline."""

    def __init__(
        self,
        catalog: Catalog,
        groups: Groups,
        downgrader: Downgrader,
        books: Books,
        limits: Limits,
        kept: Kept | None = None,
    ) -> None:
        self._kept = kept
        self._catalog = catalog
        self._groups = groups
        self._downgrader = downgrader
        self._books = books
        self._limits = limits

    async def of(self, call: Call, terms: Terms = NO_TERMS) -> Bounds:
        """Once it returns the call has its dialogue, what it would send, and the allowances it is to hold; nothing is
        held. Raises `GuardrailDenied`, and `ModelNotAllowed` and `InvalidRequest` for what cannot go there."""
        await abreast()  # not at the end: that a budget nears its cap is to be true still when the call holds
        policy = call.policy
        named = terms.input_guardrails, terms.output_guardrails
        if policy.guardrails is not None or any(named):
            guard_request(call, policy.guardrails or NO_GUARDS, self._catalog, of_input=named[0], of_output=named[1])
        if policy.limit_policies:
            call.of_policies = await self._groups.of_call(call)
        bounds = admit.bound_call(call, self._limits.default_max_output)
        if policy.tenant is not None and policy.tenant.downgrade is not None:
            bounds = await self._downgrader.near_cap(call, bounds)
        if bounds.references and self._kept is not None:
            await self._kept.check(call, bounds.references)
        call.dialogue = converse(call, call.target, call.bound)
        call.outgoing = call.dialogue.request()
        ration(call, bounds, self._books)
        return bounds
