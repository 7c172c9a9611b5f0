"""Models and prices in the console: as the catalog has them, and who may use them."""

import re

from tests.console.conftest import Browser, text_of
from tests.console.furnished import furnished
from tests.support.administration import CATALOG, NOON


def disputed() -> tuple[str, str]:
    """Some model whose sources disagree."""
    for spec in CATALOG.providers():
        for model in CATALOG.models(spec.id):
            if (price := CATALOG.price(spec.id, model, NOON)) is not None and price.disputed:
                return spec.id, model
    raise AssertionError("the sources agree on everything")


async def test_models_are_searched(admin: Browser) -> None:
    """By a part of the name, by provider, and those whose sources disagree; what is not there is said."""
    seen = text_of(await admin.get("/console/models?q=gpt-4o-mini&provider=openai"))
    price = CATALOG.price("openai", "gpt-4o-mini", NOON)
    assert price is not None
    assert f"gpt-4o-mini OpenAI ${price.rates.by_meter['input'] / 1e9:.2f}" in seen
    provider, model = disputed()
    listed = (await admin.get(f"/console/models?disputed=yes&provider={provider}")).body.decode()
    assert model in listed
    assert listed.count("<div>disputed</div>") == len(re.findall("<tr><td><a ", listed))
    assert "knows no such model" in text_of(await admin.get("/console/models?q=zzzz"))
    assert (await admin.get("/console/models?page=0")).status == 400


async def test_one_model_has_its_history_and_who_has_it(admin: Browser) -> None:
    """Every dated row and every tier; the integrations and workspaces that have it; where sources disagree, both."""
    await furnished(admin.world)
    seen = text_of(await admin.get("/console/models/price?provider=openai&model=gpt-4o"))
    for row in CATALOG.prices("openai", "gpt-4o"):
        assert row.id in seen
    assert "Acme yes the catalog’s Workspace of Acme" in seen
    provider, model = disputed()
    told = text_of(await admin.get(f"/console/models/price?provider={provider}&model={model}"))
    assert "The sources disagree" in told
    assert (await admin.get("/console/models/price?provider=openai&model=none")).status == 404
