"""A cheaper model in place of a hard stop: from a share of a budget on, and where the model that was asked for does not
fit. Only ever to one that the caller may use, and whose call can cost no more."""

from collections.abc import Callable
from typing import Final

from headgate.base.errors import HeadgateError
from headgate.catalog.bound import Bounds
from headgate.dataplane import admit
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.choice import Choice
from headgate.dataplane.converse import converse
from headgate.dataplane.groups import Groups
from headgate.dataplane.guard import model_allowed
from headgate.dataplane.limits import Limits
from headgate.dataplane.ration import ration
from headgate.ledger.allowance import Allowance, Resource, WindowKind
from headgate.routing.downgrade import stand_ins
from headgate.routing.plan import Plan, Target
from headgate.routing.router import Router
from headgate.tenancy.alert_events import Downgraded, Owner

DOWNGRADED: Final = "downgraded"
"""The flag of a call that went to a cheaper model than it asked for."""
HEADER: Final = b"x-headgate-downgraded-from"
SPENT: Final = frozenset({Resource.COST, Resource.TOKENS, Resource.INPUT_TOKENS, Resource.OUTPUT_TOKENS})
"""What a cheaper model, or one with less output, takes less of."""
_RATE: Final = WindowKind.SLIDING

Tell = Callable[[Downgraded], None]


def tell_nobody(_: Downgraded) -> None:
    """Where there is nobody to be told."""


class Downgrader:
    """One per pipeline; asked only for tenants that have a map."""

    def __init__(self, router: Router, groups: Groups, books: Books, limits: Limits, tell: Tell) -> None:
        self._router = router
        self._groups = groups
        self._books = books
        self._limits = limits
        self._tell = tell

    async def near_cap(self, call: Call, bounds: Bounds) -> Bounds:
        """Send the call to the cheapest model of its way down if one of its budgets has reached the share."""
        due = await self.due(call, bounds)
        if due is None:
            return bounds
        budget, choice = due
        choice.take(call)
        self.tell(call, budget)
        return choice.bounds

    async def due(self, call: Call, bounds: Bounds) -> tuple[Allowance, Choice] | None:
        """The budget of which so much is used that the call goes to a cheaper model, and how it goes there. None: it
        goes where it was to go. The call is as it was afterwards."""
        budget = self._reached(call)
        if budget is None or not (choices := await self.choices(call, bounds)):
            return None
        return budget, choices[-1]

    async def choices(self, call: Call, bounds: Bounds) -> list[Choice]:
        """The cheaper ways for a call, the dearest first; none can cost more than the one before. The call is as it was
        afterwards."""
        tenant = call.policy.tenant
        if tenant is None or tenant.downgrade is None:
            return []
        asked, found = Choice.of(call, bounds), list[Choice]()
        client, at = call.endpoint.format, call.started_at
        for plan in stand_ins(
            call.plan, tenant.downgrade, lambda name: self._router.route(call.policy, name, None, client, at)
        ):
            choice = await self._choice(call, plan, asked, found[-1] if found else asked)
            if choice is not None:
                found.append(choice)
        asked.take(call)
        return found

    def tell(self, call: Call, budget: Allowance) -> None:
        """The call holds, or is about to, on a cheaper model: because of this budget."""
        policy, asked = call.policy, dict(call.told)[HEADER].decode()
        owner = Owner(policy.organization_id, policy.workspace_id, policy.tenant_id)
        self._tell(Downgraded(budget, owner, asked, name_of(call.target)))

    def _reached(self, call: Call) -> Allowance | None:
        """The first budget of which so much is used and held that the downgrade begins."""
        tenant, target = call.policy.tenant, call.target
        rules = tenant.downgrade if tenant is not None else None
        if rules is None or rules.instead_of(target.provider.slug, target.model) is None:
            return None
        budgets = [each for each in call.allowances if each.resource in SPENT and each.window.kind is not _RATE]
        for budget, left in zip(budgets, self._books.lefts(budgets), strict=True):
            if rules.reached(budget.cap, budget.cap - left):
                return budget
        return None

    async def _choice(self, call: Call, plan: Plan, asked: Choice, before: Choice) -> Choice | None:
        """None: the call cannot go there, or nobody can say that it costs no more there."""
        asked.take(call)
        call.plan, call.ration = plan, None
        call.flags = (*(flag for flag in call.flags if flag != admit.COST_NOT_BOUNDED), DOWNGRADED)
        if not model_allowed(call):
            return None
        try:
            if call.policy.limit_policies:
                call.of_policies = await self._groups.of_call(call)
            # No more output than the model asked for would have given: a higher limit could make it the dearer one.
            bounds = admit.bound_call(call, self._limits.default_max_output).limited(before.bounds.limit)
            call.bound = bound = bounds.whole()
            call.dialogue = converse(call, call.target, bound)
            call.dialogue.request()
        except HeadgateError:
            return None
        if bounds.references and plan.first.provider.integration_id != asked.plan.first.provider.integration_id:
            return None  # what it names lives where it was to go
        if bound.unbounded or bound.cost_nanos > before.bounds.whole().cost_nanos:
            return None
        ration(call, bounds, self._books)
        call.max_tokens = bound.needs_output_limit
        here = call.target.told
        others = [header for header in call.told if header[0] not in dict(here)]
        call.told = (*here, *others, (HEADER, name_of(asked.plan.first).encode()))
        return Choice.of(call, bounds)


def name_of(target: Target) -> str:
    """`@provider/model`."""
    return f"@{target.provider.slug}/{target.model}"
