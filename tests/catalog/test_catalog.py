"""The shipped catalog: prices by time, exact names, integers, and nothing but package data."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from headgate.base.money import NANOS_PER_USD
from headgate.base.usage import Usage
from headgate.catalog.catalog import Catalog
from headgate.catalog.price import Rates, cost_of
from tests.support.recordings import some_recordings

CATALOG = Catalog.load()


def at(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * 1_000_000_000


NOW = at(2026, 11, 21)


@pytest.mark.parametrize(
    ("provider", "model", "input_usd", "output_usd"),
    [
        ("openai", "gpt-4o", "2.5", "10"),
        ("openai", "gpt-4o-mini", "0.15", "0.6"),
        ("openai", "gpt-4.1", "2", "8"),
        ("openai", "gpt-5", "1.25", "10"),
        ("anthropic", "claude-sonnet-4-5", "3", "15"),
        ("anthropic", "claude-haiku-4-5", "1", "5"),
        ("anthropic", "claude-opus-4-1", "15", "75"),
        ("google", "gemini-2.5-flash", "0.3", "2.5"),
        ("groq", "llama-3.3-70b-versatile", "0.59", "0.79"),
    ],
)
def test_well_known_prices(provider: str, model: str, input_usd: str, output_usd: str) -> None:
    """A million tokens in and a million out cost what the provider's public price list says."""
    price = CATALOG.price(provider, model, NOW)
    assert price is not None
    expected = [int(Decimal(usd) * NANOS_PER_USD) for usd in (input_usd, output_usd)]
    assert [price.rates.rate("input"), price.rates.rate("output")] == expected


def test_a_price_change_counts_from_its_day() -> None:
    """o3 fell from $10/$40 to $2/$8 on 2025-06-10 at midnight UTC: not a nanosecond sooner."""
    change = at(2025, 6, 10, 0)
    before, after = CATALOG.price("openai", "o3", change - 1), CATALOG.price("openai", "o3", change)
    assert before is not None
    assert after is not None
    assert (before.rates.rate("input"), after.rates.rate("input")) == (10 * NANOS_PER_USD, 2 * NANOS_PER_USD)
    assert after.effective_from == change
    assert before.id != after.id


def test_a_time_of_day_can_have_its_price() -> None:
    """DeepSeek charges double in its peak hours; a window's end belongs to what follows."""
    rates = [
        price.rates.rate("input")
        for hour, minute in ((0, 59), (1, 0), (3, 59), (4, 0), (6, 0), (10, 0))
        if (price := CATALOG.price("deepseek", "deepseek-v4-flash", at(2026, 11, 20, hour, minute))) is not None
    ]
    off, peak = NANOS_PER_USD * 15 // 100, NANOS_PER_USD * 30 // 100
    assert rates == [off, peak, peak, off, peak, off]


def test_crossing_a_tier_re_prices_the_whole_call() -> None:
    """At 200,000 input tokens the base rates hold; one more, and all tokens cost the long-context rates."""
    price = CATALOG.price("anthropic", "claude-sonnet-4-5", NOW)
    assert price is not None
    below = cost_of(Usage({"input": 200_000, "output": 1_000}), price)
    above = cost_of(Usage({"input": 100_001, "cache_read": 100_000, "output": 1_000}), price)
    assert below.nanos == 200_000 * 3_000 + 1_000 * 15_000
    assert above.nanos == 100_001 * 6_000 + 100_000 * 600 + 1_000 * 22_500


def test_prices_are_lasting_objects_that_can_be_found_again() -> None:
    """The same question has the same object for an answer, and a usage record's price id leads back to it."""
    price = CATALOG.price("openai", "gpt-4o", NOW)
    assert price is not None
    assert CATALOG.price("openai", "gpt-4o", NOW + 1) is price
    assert CATALOG.price_by_id(price.id) is price
    assert CATALOG.price_by_id("openai/gpt-4o@start#0") is None


@pytest.mark.parametrize(
    ("provider", "model", "same_as"),
    [
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("openai", "GPT-4o", "gpt-4o"),
        ("gemini", "models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("anthropic", "claude-sonnet-4-5-20261231", "claude-sonnet-4-5"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::abc123", "ft:gpt-4o-2024-08-06"),
        ("mistral", "mistral-small-latest", "mistral-small-latest"),
    ],
)
def test_names_are_resolved_by_documented_rules(provider: str, model: str, same_as: str) -> None:
    """Aliases, letter case, a neutral prefix, a fine-tuned model, a dated snapshot where all are said to cost alike."""
    price = CATALOG.price(provider, model, NOW)
    assert price is not None
    assert price is CATALOG.price(provider, same_as, NOW)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-2099-01-01"),
        ("openai", "gpt-4o-extra"),
        ("openai", "gpt"),
        ("openai", "ft:unheard-of:acme::x"),
        ("anthropic", "claude-sonnet-4-5-latest-20250929"),
        ("anthropic", "claude"),
        ("openai", ""),
        ("nobody", "gpt-4o"),
        ("groq", "gpt-4o"),
    ],
)
def test_a_near_name_never_borrows_a_price(provider: str, model: str) -> None:
    """An unknown model is unpriced, whatever it resembles: another snapshot of gpt-4o cost twice as much."""
    assert CATALOG.price(provider, model, NOW) is None
    assert CATALOG.model(provider, model) is None


def test_free_is_said_not_assumed() -> None:
    """A model that its provider calls free costs nothing; one whose price is merely missing has none."""
    free = CATALOG.price("openrouter", "google/gemini-2.0-flash-exp:free", NOW)
    assert free is not None
    assert cost_of(Usage({"input": 1_000, "output": 1_000}), free).nanos == 0
    assert CATALOG.price("google", "gemma-3-27b-it", NOW) is None


def test_a_dearer_kind_of_token_does_not_fall_back() -> None:
    """Where only the second source knows that sound costs more, sound is unpriced and listed, not billed as text."""
    price = CATALOG.price("openai", "gpt-4o-audio-preview", NOW)
    assert price is not None
    cost = cost_of(Usage({"input": 10, "input_audio": 10}), price)
    assert cost.unpriced == ("input_audio",)
    assert [line.meter for line in cost.lines] == ["input"]


def test_a_disputed_price_is_marked() -> None:
    """Where the sources disagree the first one's rate stands and the second one's is shown."""
    price = CATALOG.price("mistral-ai", "mistral-large-latest", NOW)
    assert price is not None
    assert price.disputed == {"input": NANOS_PER_USD // 2, "output": NANOS_PER_USD * 3 // 2}
    assert price.rates.rate("input") == 2 * NANOS_PER_USD


def test_other_terms_have_their_own_price() -> None:
    """Priority costs more, and terms without a known price have none."""
    price = CATALOG.price("openai", "gpt-4o", NOW)
    assert price is not None
    priority = price.under("priority")
    assert priority is not None
    assert priority.rates.rate("input") == NANOS_PER_USD * 425 // 100
    assert price.under("default") is price.under(None) is price
    assert price.under("imperial") is None
    assert CATALOG.price_by_id(priority.id) is priority


def test_every_rate_is_a_whole_number() -> None:
    """No float and no fraction anywhere in the table; tiers ascend; ids are unique."""
    seen: dict[str, object] = {}
    for provider in CATALOG.providers():
        for model in CATALOG.models(provider.id):
            for price in CATALOG.prices(provider.id, model):
                rates: list[Rates] = [price.rates, *(rates for _, rates in price.tiers)]
                assert all(type(rate) is int and rate >= 0 for one in rates for rate in one.by_meter.values())
                assert [above for above, _ in price.tiers] == sorted({above for above, _ in price.tiers})
                assert seen.setdefault(price.id, price) is price
                assert price.source.startswith("genai-prices ")
    assert len(seen) > 1_000


def test_limits_are_known_for_the_main_models() -> None:
    """Context windows and maximum outputs, which the bound of a request rests on."""
    facts = CATALOG.model("openai", "gpt-4o")
    assert facts is not None
    assert (facts.context_window, facts.max_output) == (128_000, 16_384)
    assert "tools" in facts.capabilities
    assert CATALOG.models("openai")
    assert CATALOG.models("gemini") == CATALOG.models("google")
    assert CATALOG.models("nobody") == ()


def test_the_recorded_models_are_priced() -> None:
    """Of the models in the recordings of real traffic, those without a price are known by name."""
    providers = {"mistral": "mistral-ai"}
    asked = set()
    for recording in some_recordings():
        model = recording.request.get("model") or recording.path.rpartition("/models/")[2].partition(":")[0]
        if model:
            asked.add((providers.get(recording.provider, recording.provider), str(model)))
    assert {name for name in asked if CATALOG.price(*name, NOW) is None} == {
        ("cerebras", "llama3.3-70b"),
        ("cohere", "command-a-reasoning-08-2025"),
        ("gemini", "gemini-2.5-pro-preview-05-06"),
        ("groq", "compound-beta"),
        ("mistral-ai", "magistral-medium-latest"),
        ("mistral-ai", "magistral-small-latest"),
        ("openai", "nonexistent"),
        ("openrouter", "anthropic/claude-sonnet-4-5"),
    }


def test_loading_reads_only_the_package() -> None:
    """From any directory, with no price library in sight, and without touching a file outside the package."""
    script = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda name, args: opened.append(str(args[0])) if name == 'open' else None)\n"
        "from headgate.catalog.catalog import Catalog\n"
        "Catalog.load()  # imports what reading package data needs\n"
        "opened.clear()\n"
        "Catalog.load.cache_clear()\n"
        "Catalog.load()\n"
        "import headgate, os\n"
        "home = os.path.dirname(headgate.__file__)\n"
        "assert opened and all(name.startswith(home) for name in opened), opened\n"
        "assert not {'genai_prices', 'pydantic', 'litellm', 'httpx2'} & sys.modules.keys()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
