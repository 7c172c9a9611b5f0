"""What many calls cost together, each of them priced by itself."""

from collections import Counter
from collections.abc import Mapping

from headgate.base import usage as meters
from headgate.base.usage import Usage
from headgate.catalog.price import Cost, CostLine, Price, Rates, cost_of


class Tally:
    """Calls of one model at one price. None: it has no known price, and all that is used is told as unpriced."""

    def __init__(self, price: Price | None) -> None:
        self._price = price
        self._by_rates: dict[int, tuple[Rates | None, Counter[str]]] = {}

    def add(self, usage: Usage) -> None:
        """One more call. A price with tiers is that of its own input."""
        price = self._price
        rates = None if price is None else price.rates_at(usage.input_tokens)
        _, counts = self._by_rates.setdefault(id(rates), (rates, Counter()))
        counts.update(usage.counts)
        if usage.counts and rates is not None and meters.REQUEST in rates.by_meter:
            counts[meters.REQUEST] += 0 if meters.REQUEST in usage.counts else 1

    @property
    def counts(self) -> Mapping[str, int]:
        """All that was used, by meter; without what was not."""
        together: Counter[str] = Counter()
        for _, counts in self._by_rates.values():
            together.update(counts)
        return {meter: count for meter, count in together.items() if count}

    def cost(self) -> Cost:
        """Of all of it: one line for each meter and rate."""
        price, lines, unpriced = self._price, list[CostLine](), dict[str, None]()
        for rates, counts in self._by_rates.values():
            if price is None or rates is None:
                unpriced |= dict.fromkeys(meter for meter, count in counts.items() if count)
                continue
            found = cost_of(Usage(counts), Price(price.id, price.provider, price.model, rates))
            lines += found.lines
            unpriced |= dict.fromkeys(found.unpriced)
        return Cost(sum(line.nanos for line in lines), tuple(lines), price.id if price else "", tuple(unpriced))
