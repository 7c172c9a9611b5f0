"""The models of an integration: which may be used, at what price, and those of our own."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.catalog.price import Price
from headgate.console.form import Form
from headgate.console.integrations import may, path_of
from headgate.console.pager import SIZE, Pager
from headgate.console.visit import Visit
from headgate.tenancy.integration import Integration, IntegrationModel
from headgate.tenancy.pricing import METERS

PRICED: Final = {
    "request_token": "Input",
    "response_token": "Output",
    "cache_read_input_token": "Read from the cache",
    "cache_write_input_token": "Written to the cache",
}
"""By the contract's names, those that the form has a field for."""
KINDS: Final = {
    "": "one that the provider's catalog has",
    "is_custom": "one of our own",
    "is_finetune": "one that we fine-tuned",
}
_DOLLARS_PER_MILLION: Final = Decimal(10_000)
"""One US cent per token in these."""


async def listed(visit: Visit) -> Response:
    """Those that something was said about, then the catalog's; searched by a part of the name."""
    return await _list(visit)


async def change(visit: Visit) -> Response:
    """Allow one, take one away, forget what was said of one; or allow all, or only those that are allowed by name."""
    services, principal, reference = visit.services.models, visit.principal, visit.named("integration")
    form = visit.form
    try:
        if slug := form.one("forget"):
            await services.delete(principal, reference, [slug])
        elif slug := form.one("allow") or form.one("refuse"):
            await services.switch(principal, reference, slug, enabled=bool(form.one("allow")))
        else:
            await services.update(principal, reference, {"allow_all_models": form.one("all") == "yes"})
    except HeadgateError as error:
        return await _list(visit, error)
    where = f"?q={form.one('q')}" if form.one("q").isalnum() else ""
    return RedirectResponse(visit.request.url.path + where, 303)


async def edit(visit: Visit) -> Response:
    """The price of one model, or a new one of our own."""
    integration, models = await visit.services.models.get(visit.principal, visit.named("integration"))
    slug = visit.query.get("model", "")
    found = next((each for each in models if each.slug == slug), None)
    return _form(visit, integration, _present(found, slug))


async def price(visit: Visit) -> Response:
    """Back to the list, or to the form with what was wrong."""
    integration, models = await visit.services.models.get(visit.principal, visit.named("integration"))
    try:
        entry = _entry(visit.form)
        if any(each.slug == entry["slug"] and each.header_names for each in models):
            raise InvalidRequest("This model has headers of its own, which only the API can write: change it there.")
        await visit.services.models.update(visit.principal, integration.id, {"models": [entry]})
    except HeadgateError as error:
        names = ("slug", "kind", "base_model_slug", "custom_host", *PRICED)
        return _form(visit, integration, {name: visit.form.one(name) for name in names}, error)
    return RedirectResponse(f"{path_of(integration)}/models", 303)


async def _list(visit: Visit, error: HeadgateError | None = None) -> Response:
    services, pager = visit.services, Pager.of(visit.query)
    integration, models = await services.models.get(visit.principal, visit.named("integration"))
    said = {each.slug: each for each in models}
    wanted = visit.query.get("q", "").strip().lower()
    names = [*said, *(each for each in services.catalog.models(integration.kind) if each not in said)]
    names = [each for each in names if wanted in each.lower()]
    now = services.clock.now()
    shown = names[pager.page.offset :][:SIZE]
    return visit.page(
        "integration_models.html",
        status=error.status if error else 200,
        integration=integration,
        here=path_of(integration),
        rows=[(each, said.get(each), _cost(visit, integration, said.get(each), each, now)) for each in shown],
        q=visit.query.get("q", "").strip(),
        pager=pager.over(len(names)),
        may_change=may(visit, "update", integration),
        error=error,
    )


def _cost(
    visit: Visit, integration: Integration, said: IntegrationModel | None, slug: str, now: int
) -> tuple[Mapping[str, int], str]:
    """Rates, and whose they are."""
    if said is not None and said.rates is not None:
        return said.rates, "your own"
    base = said.base_model_slug if said is not None and said.base_model_slug else slug
    found: Price | None = visit.services.catalog.price(integration.kind, base, now)
    if found is None:
        return {}, "none: refused where a cost budget applies"
    return found.rates.by_meter, "the catalog" if base == slug else f"that of {base}"


def _form(
    visit: Visit, integration: Integration, fields: Mapping[str, str], error: HeadgateError | None = None
) -> Response:
    return visit.page(
        "model_form.html",
        status=error.status if error else 200,
        integration=integration,
        here=path_of(integration),
        fields=fields,
        priced=PRICED,
        kinds=KINDS,
        error=error,
    )


def _present(model: IntegrationModel | None, slug: str) -> dict[str, str]:
    if model is None:
        return {"slug": slug, "kind": "", "base_model_slug": "", "custom_host": "", **dict.fromkeys(PRICED, "")}
    rates = model.rates or {}
    return {
        "slug": model.slug,
        "kind": "is_custom" if model.is_custom else "is_finetune" if model.is_finetune else "",
        "base_model_slug": model.base_model_slug or "",
        "custom_host": model.base_url or "",
        **{unit: _written(rates.get(METERS[unit])) for unit in PRICED},
    }


def _written(rate: int | None) -> str:
    return "" if rate is None else f"{Decimal(rate).scaleb(-9).normalize():f}"


def _entry(form: Form) -> dict[str, Any]:
    """As the contract has it: prices in cents per token."""
    entry: dict[str, Any] = {"slug": form.one("slug"), "enabled": True}
    if (kind := form.one("kind")) in KINDS and kind:
        entry[kind] = True
    if base := form.one("base_model_slug"):
        entry["base_model_slug"] = base
    if host := form.one("custom_host"):
        entry["configurations"] = {"custom_host": host}
    if prices := {unit: {"price": _cents(form.one(unit), unit)} for unit in PRICED if form.one(unit)}:
        entry["pricing_config"] = {"pay_as_you_go": prices}
    return entry


def _cents(text: str, unit: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        param = f"models[0].pricing_config.pay_as_you_go.{unit}.price"
        raise InvalidRequest(f"`{param}` must be a number.", param=param)
    return found / _DOLLARS_PER_MILLION
