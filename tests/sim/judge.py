"""Joins the provider's books with the usage records and the story of every call, and says what does not fit."""

from collections.abc import Iterable

from headgate.ledger.allowance import Allowance, Resource, WindowKind
from headgate.ledger.period import period_of
from tests.sim.world import Story, World


def judge(world: World) -> list[str]:
    """Everything that breaks a guarantee, in words. Empty is good."""
    wrongs = list(_records(world))
    for of in world.organization:
        wrongs += _within(of, list(world.tally.stories.values()))
    for key, allowances in world.keys.items():
        for of in allowances:
            wrongs += _within(of, [story for story in world.tally.stories.values() if story.key == key])
    held = {each.allowance.id: each.held for each in world.ledger.balances([*world.organization])}
    wrongs += [f"{name} still holds {amount}" for name, amount in held.items() if amount]
    return wrongs


def _records(world: World) -> Iterable[str]:
    known = dict(world.rows)
    for each in world._unwritten:
        known.setdefault(each.request_id, each)
    for name, story in world.tally.stories.items():
        found = known.pop(name, None)
        if story.billed is not None and found is None:
            yield f"{name} was billed {story.billed.cost} and has no usage record"
        elif story.billed is not None and found is not None and found.cost < story.billed.cost:
            yield f"{name} was billed {story.billed.cost}, its usage record says {found.cost}"
        elif found is not None and found.cost > story.held.cost:
            yield f"{name} held {story.held.cost}, its usage record says {found.cost}"
        elif found is not None and not story.sent:
            yield f"{name} was never sent, and has a usage record"
    for name in known:
        yield f"{name} has a usage record, and nobody called"


def _use(story: Story, resource: Resource, sliding: bool) -> Iterable[tuple[int, int]]:
    """When what was billed counts from: the moment the call was let in, or extended in a sliding window."""
    if story.billed is None:
        return
    rest = story.billed.of(resource)
    for at, amounts in story.taken:
        used = min(rest, amounts.of(resource))
        rest -= used
        yield (at if sliding else story.at), used


def _within(of: Allowance, stories: list[Story]) -> Iterable[str]:
    """No more than the cap was billed in any window."""
    if of.resource is Resource.IN_FLIGHT:
        return
    sliding = of.window.kind is WindowKind.SLIDING
    used = sorted(each for story in stories for each in _use(story, of.resource, sliding))
    if sliding:
        length = of.window.seconds * 10**9
        first, total = 0, 0
        for at, amount in used:
            total += amount
            while used[first][0] <= at - length:
                total -= used[first][1]
                first += 1
            if total > of.cap:
                yield f"{of.id}: {total} of {of.cap} in the window that ends at {at}"
        return
    totals: dict[int, int] = {}
    for at, amount in used:
        start = period_of(of.window, at).start
        totals[start] = totals.get(start, 0) + amount
    for start, total in totals.items():
        if total > of.cap:
            yield f"{of.id}: {total} of {of.cap} in the period from {start}"
