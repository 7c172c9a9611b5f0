"""Policies: limits on groups of calls, what each group used, and beginning anew with one."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError, NotFound
from headgate.console import limit_rows, places
from headgate.console.form import Form
from headgate.console.limit_rows import Row
from headgate.console.pager import Pager
from headgate.console.visit import HOME, Visit
from headgate.tenancy.limit_policy import KEYS, LimitKind, LimitPolicy
from headgate.tenancy.stores import Page

POLICIES: Final = f"{HOME}/policies"
KINDS: Final = {"budgets": LimitKind.USAGE, "rates": LimitKind.RATE}
"""By how pages call them."""
TITLES: Final = {LimitKind.USAGE: "Budget", LimitKind.RATE: "Rate limit"}
SPARE_CONDITIONS: Final = 2
_EXCLUDES: Final = "not"


async def listed(visit: Visit) -> Response:
    """Both kinds."""
    found = {}
    for name, kind in KINDS.items():
        policies, _ = await visit.services.limit_policies.find(visit.principal, kind, Page(limit=500))
        found[name] = policies
    workspaces, _ = await visit.services.workspaces.find(visit.principal, Page(limit=1_000))
    return visit.page("policies.html", found=found, workspaces={each.id: each for each in workspaces})


async def show(visit: Visit) -> Response:
    """One of them."""
    name, kind = _kind(visit)
    policy = await visit.services.limit_policies.get(visit.principal, kind, visit.named("policy"))
    here = f"{POLICIES}/{name}/{policy.id}"
    return visit.page(
        "policy.html",
        policy=policy,
        here=here,
        limit=_limit(policy),
        title=TITLES[kind],
        workspaces=await places.workspaces(visit),
    )


async def groups(visit: Visit) -> Response:
    """What each group used, fifty at a time. It is found out by looking through calls, so it comes after the rest of
    the page: to a script the rows alone."""
    pager = Pager.of(visit.query)
    name, kind = _kind(visit)
    policy, found, total = await visit.services.policy_groups.find(
        visit.principal, kind, visit.named("policy"), pager.page
    )
    response = visit.page(
        "policy_group_rows.html" if visit.of_script else "policy_groups.html",
        policy=policy,
        here=f"{POLICIES}/{name}/{policy.id}",
        groups=found,
        of={each.id: _named_by(policy, each.values) for each in found},
        pager=pager.over(total),
    )
    response.headers.add_vary_header("hx-request")
    return response


async def reset(visit: Visit) -> Response:
    """One group begins anew; without one, a budget's all."""
    name, kind = _kind(visit)
    policy, group = visit.named("policy"), visit.form.one("group")
    if group:
        await visit.services.policy_groups.reset(visit.principal, kind, policy, group)
    else:
        await visit.services.limit_policies.update(visit.principal, LimitKind.USAGE, policy, {"reset_usage": True})
    return RedirectResponse(f"{POLICIES}/{name}/{policy}/groups", 303)


async def remove(visit: Visit) -> Response:
    """It limits nothing from the next call on."""
    _, kind = _kind(visit)
    await visit.services.limit_policies.delete(visit.principal, kind, visit.named("policy"))
    return RedirectResponse(POLICIES, 303)


async def new(visit: Visit) -> Response:
    """An empty form."""
    name, kind = _kind(visit)
    row = Row("cost", over="monthly") if kind is LimitKind.USAGE else Row("requests", over="rpm")
    return await _form(
        visit, name, None, {"name": "", "workspace_id": "", "row": row, "conditions": [], "group_by": ""}
    )


async def create(visit: Visit) -> Response:
    """To the new policy, or back to the form with what was wrong."""
    name, kind = _kind(visit)
    try:
        asked = _asked(visit.form, kind) | {"workspace_id": visit.form.one("workspace_id") or None}
        made = await visit.services.limit_policies.create(visit.principal, kind, asked)
    except HeadgateError as error:
        return await _form(visit, name, None, _typed(visit.form), error)
    return RedirectResponse(f"{POLICIES}/{name}/{made.id}", 303)


async def edit(visit: Visit) -> Response:
    """The form with what there is."""
    name, kind = _kind(visit)
    policy = await visit.services.limit_policies.get(visit.principal, kind, visit.named("policy"))
    rows = limit_rows.limit_rows(policy)
    fields = {
        "name": policy.name,
        "row": (rows.budgets if kind is LimitKind.USAGE else rows.rates)[0],
        "conditions": [
            (each.key, _EXCLUDES if each.excludes else "", ", ".join(each.values)) for each in policy.conditions
        ],
        "group_by": "\n".join(policy.group_by),
    }
    return await _form(visit, name, policy, fields)


async def update(visit: Visit) -> Response:
    """The same as `create`, for one that is there."""
    name, kind = _kind(visit)
    before = await visit.services.limit_policies.get(visit.principal, kind, visit.named("policy"))
    try:
        visit.form.require_unchanged(before.updated_at)
        await visit.services.limit_policies.update(visit.principal, kind, before.id, _asked(visit.form, kind))
    except HeadgateError as error:
        return await _form(visit, name, before, _typed(visit.form), error)
    return RedirectResponse(f"{POLICIES}/{name}/{before.id}", 303)


def _kind(visit: Visit) -> tuple[str, LimitKind]:
    name = visit.named("kind")
    if name not in KINDS:
        raise NotFound("There is no such page.")
    return name, KINDS[name]


def _limit(policy: LimitPolicy) -> Any:
    return (*policy.usage_limits, *policy.rate_limits)[0]


def _named_by(policy: LimitPolicy, values: tuple[str | None, ...]) -> list[tuple[str, str | None]]:
    return list(zip(policy.group_by, values, strict=True))


def _asked(form: Form, kind: LimitKind) -> dict[str, Any]:
    """The policy's one limit stands beside its other fields, as the contract has it."""
    row = _row(form)
    limit: dict[str, Any]
    if kind is LimitKind.USAGE:
        limit = {"credit_limit": None, "periodic_reset": None, "periodic_reset_days": None}
        limit |= limit_rows.budgets([row])[0]
        limit["credit_limit"] = limit["credit_limit"] or None
    else:
        limit = {"unit": None, **limit_rows.rates([row])[0]}
    conditions = [
        {
            "key": key,
            "value": [each.strip() for each in values.split(",") if each.strip()],
            "excludes": how == _EXCLUDES,
        }
        for key, how, values in _conditions(form)
    ]
    group_by = [{"key": key} for key in form.lines("group_by")]
    return {"name": form.one("name"), **limit, "conditions": conditions, "group_by": group_by}


def _row(form: Form) -> Row:
    return Row(form.one("type"), form.one("amount"), form.one("over"))


def _conditions(form: Form) -> list[tuple[str, str, str]]:
    """A row without a key is none."""
    columns = (form.all("condition_key"), form.all("condition_how"), form.all("condition_values"))
    return [each for each in zip(*columns, strict=False) if each[0]]


def _typed(form: Form) -> dict[str, Any]:
    return {
        **{name: form.one(name) for name in ("name", "workspace_id", "group_by")},
        "row": _row(form),
        "conditions": _conditions(form),
    }


async def _form(
    visit: Visit, name: str, policy: LimitPolicy | None, fields: dict[str, Any], error: HeadgateError | None = None
) -> Response:
    workspaces, _ = await visit.services.workspaces.find(visit.principal, Page(limit=1_000))
    spare = [("", "", "")] * SPARE_CONDITIONS
    return visit.page(
        "policy_form.html",
        status=error.status if error else 200,
        policy=policy,
        kind=name,
        title=TITLES[KINDS[name]],
        back=POLICIES if policy is None else f"{POLICIES}/{name}/{policy.id}",
        fields={**fields, "conditions": [*fields["conditions"], *spare]},
        keys=KEYS,
        workspaces=workspaces,
        choices=limit_rows,
        error=error,
    )
