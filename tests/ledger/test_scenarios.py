"""The ledger told as scenarios: lines of a step and what must come of it, in the words of `tests.support.scenario`."""

from datetime import UTC, datetime

import pytest

from headgate.base.clock import NANOS_PER_SECOND
from tests.support.ledger import ManualClock
from tests.support.scenario import Scenario

SCENARIOS = {
    "a hold is settled at less and the rest is free at once": """
        allowance budget cost lifetime 100
        hold a cost=60           -> held
        balance budget           -> used=0 held=60 left=40
        settle a cost=10         -> settled
        balance budget           -> used=10 held=0 left=90
    """,
    "a hold is resolved once: what comes later counts nothing": """
        allowance budget cost lifetime 100
        hold a cost=60           -> held
        settle a cost=10         -> settled
        settle a cost=50         -> already
        void a                   -> already
        hold b cost=60           -> held
        void b                   -> settled
        settle b cost=60         -> already
        settle c cost=60         -> unknown
        void c                   -> unknown
        balance budget           -> used=10 held=0 left=90
    """,
    "all or nothing: the tightest allowance refuses, and nothing is taken of the others": """
        allowance org cost lifetime 1000
        allowance key cost lifetime 50
        allowance rate requests 60s 1
        hold a cost=60           -> denied key left=50 exhausted retry=never
        balance org              -> used=0 held=0 left=1000
        balance rate             -> used=0 held=0 left=1
        hold a cost=50           -> held
    """,
    "exhausted is not the same as held": """
        allowance budget cost lifetime 100
        hold a cost=60           -> held
        hold b cost=60           -> denied budget left=40 waiting retry=1
        settle a cost=50         -> settled
        hold b cost=60           -> denied budget left=50 exhausted retry=never
        hold b cost=50           -> held
    """,
    "the denial names the allowance that frees up last": """
        allowance second requests 1s 1
        allowance minute requests 60s 1
        allowance flying in_flight lifetime 1
        hold a                   -> held
        hold b                   -> denied minute left=0 waiting retry=60
        hold b on second,flying  -> denied second left=0 waiting retry=1
        settle a                 -> settled
        allowance day requests day 1
        hold c on day            -> held
        settle c                 -> settled
        hold d                   -> denied day left=0 exhausted retry=43200
    """,
    "a budget that is spent resets at midnight and says so": """
        allowance day cost day 10
        hold a cost=10           -> held
        settle a cost=10         -> settled
        balance day resets       -> used=10 held=0 left=0 resets=43200
        wait 600
        hold b cost=1            -> denied day left=0 exhausted retry=42600
        wait 42600
        hold b cost=1            -> held
    """,
    "a cap of zero blocks, what costs nothing too": """
        allowance blocked cost lifetime 0
        hold a cost=0            -> denied blocked left=0 exhausted retry=never
        allowance blocked cost 60s 0
    """,
    "what costs nothing passes while something is left, though others hold it": """
        allowance budget cost lifetime 10
        hold a cost=10           -> held
        hold b cost=0            -> held
        settle a cost=10         -> settled
        hold c cost=0            -> denied budget left=0 exhausted retry=never
    """,
    "a provider that bills more than was held: counted, told, and only then over the cap": """
        allowance budget cost lifetime 100
        hold a cost=90           -> held
        settle a cost=120        -> overage=30
        balance budget           -> used=120 held=0 left=0
        hold b cost=1            -> denied budget left=0 exhausted retry=never
    """,
    "a cap is edited: the next call sees it, and raising it lets calls in at once": """
        allowance budget cost lifetime 100
        hold a cost=100          -> held
        settle a cost=100        -> settled
        allowance budget cost lifetime 50
        balance budget           -> used=100 held=0 left=0
        hold b cost=1            -> denied budget left=0 exhausted retry=never
        allowance budget cost lifetime 101
        hold b cost=1            -> held
    """,
    "a reset lets calls in at once, and calls from before it count no longer": """
        allowance budget cost lifetime 100
        hold a cost=60           -> held
        hold b cost=40           -> held
        settle b cost=40         -> settled
        reset budget
        balance budget           -> used=0 held=0 left=100
        settle a cost=60         -> settled
        balance budget           -> used=0 held=0 left=100
    """,
    "a call in flight over midnight counts on the day it was held": """
        allowance day cost day 10
        hold a cost=8            -> held
        wait 43200
        balance day              -> used=0 held=0 left=10
        hold b cost=10           -> held
        settle a cost=8          -> settled
        balance day              -> used=0 held=10 left=0
        settle b cost=3          -> settled
        balance day              -> used=3 held=0 left=7
    """,
    "an extension belongs to the day of its hold, within that day's cap": """
        allowance day cost day 10
        hold a cost=6            -> held
        wait 43200
        hold b cost=9            -> held
        extend a cost=4          -> held
        extend a cost=1          -> denied day left=0 waiting retry=1
        settle a cost=10         -> settled
        balance day              -> used=0 held=9 left=1
    """,
    "a wall clock that jumps ahead over midnight and back opens no day twice": """
        allowance day cost day 10
        hold a cost=4            -> held
        settle a cost=4          -> settled
        set-clock 46800
        hold b cost=7            -> held
        settle b cost=7          -> settled
        set-clock -46800
        balance day              -> used=7 held=0 left=3
        wait 43200
        balance day              -> used=7 held=0 left=3
        wait 86400
        balance day              -> used=0 held=0 left=10
    """,
    "every three days, counted from the anchor": """
        allowance three cost 3days 10
        hold a cost=10           -> held
        settle a cost=10         -> settled
        balance three resets     -> used=10 held=0 left=0 resets=216000
        wait 215999
        hold b cost=1            -> denied three left=0 exhausted retry=1
        wait 1
        hold b cost=10           -> held
    """,
    "a sliding minute: the oldest entry leaves first, to the nanosecond": """
        allowance minute requests 60s 2
        hold a                   -> held
        wait 20
        hold b                   -> held
        wait 10
        hold c                   -> denied minute left=0 waiting retry=30
        wait 29.999
        hold c                   -> denied minute left=0 waiting retry=0.001
        wait 0.001
        hold c                   -> held
        hold d                   -> denied minute left=0 waiting retry=20
    """,
    "a wall clock that jumps neither opens nor closes a sliding window": """
        allowance minute requests 60s 1
        hold a                   -> held
        set-clock 86400
        hold b                   -> denied minute left=0 waiting retry=60
        set-clock -172800
        wait 60
        hold b                   -> held
    """,
    "settled at less, a sliding window has the difference back where it was taken": """
        allowance minute tokens 60s 100
        hold a in=50 out=50      -> held
        wait 20
        hold b in=1              -> denied minute left=0 waiting retry=1
        settle a in=50 out=10    -> settled
        hold b in=40             -> held
        settle b in=40           -> settled
        wait 40
        balance minute           -> used=40 held=0 left=60
        wait 20
        balance minute           -> used=0 held=0 left=100
    """,
    "a call that outlives its window: its request leaves, given back or not": """
        allowance minute requests 60s 2
        hold a                   -> held
        hold b                   -> held
        wait 60
        balance minute           -> used=0 held=0 left=2
        settle a                 -> settled
        void b                   -> settled
        balance minute           -> used=0 held=0 left=2
    """,
    "a hold that outlives its window counts until it ends, and then no longer": """
        allowance minute tokens 60s 100
        hold a in=100            -> held
        wait 120
        balance minute           -> used=0 held=100 left=0
        hold b in=1              -> denied minute left=0 waiting retry=1
        settle a in=100          -> settled
        balance minute           -> used=0 held=0 left=100
    """,
    "more than was held counts in a sliding window from when it is known": """
        allowance minute tokens 60s 100
        hold a in=10             -> held
        wait 90
        settle a in=90           -> settled
        balance minute           -> used=80 held=0 left=20
        wait 59
        hold b in=21             -> denied minute left=20 waiting retry=1
        wait 1
        balance minute           -> used=0 held=0 left=100
    """,
    "a stream that grows takes from the window when it grows, and gives back the last first": """
        allowance minute tokens 60s 100
        allowance calls requests 60s 5
        hold a out=40            -> held
        wait 50
        extend a out=40          -> held
        extend a out=40          -> denied minute left=20 waiting retry=1
        balance calls            -> used=0 held=1 left=4
        settle a out=60          -> settled
        balance minute           -> used=60 held=0 left=40
        wait 10
        balance minute           -> used=20 held=0 left=80
        wait 50
        balance minute           -> used=0 held=0 left=100
    """,
    "a sliding window that is reset forgets what was used, not what is under way": """
        allowance minute tokens 60s 100
        hold a in=60             -> held
        hold b in=40             -> held
        settle b in=40           -> settled
        reset minute
        balance minute           -> used=0 held=60 left=40
        settle a in=60           -> settled
        balance minute           -> used=0 held=0 left=100
    """,
    "in flight: a place is taken while a call is under way, and given back however it ends": """
        allowance flying in_flight lifetime 2
        hold a                   -> held
        hold b                   -> held
        hold c                   -> denied flying left=0 waiting retry=1
        settle a cost=5          -> overage=5
        hold c                   -> held
        void b                   -> settled
        extend c cost=5          -> held
        reset flying
        balance flying           -> used=0 held=1 left=1
    """,
    "input and output tokens are counted apart, and together": """
        allowance all tokens lifetime 100
        allowance in input_tokens lifetime 60
        allowance out output_tokens lifetime 60
        hold a in=60 out=40      -> held
        settle a in=30 out=5     -> settled
        balance all              -> used=35 held=0 left=65
        balance in               -> used=30 held=0 left=30
        balance out              -> used=5 held=0 left=55
        hold b in=31             -> denied in left=30 exhausted retry=never
    """,
    "a voided call has used no request": """
        allowance minute requests 60s 1
        hold a                   -> held
        void a                   -> settled
        hold b                   -> held
    """,
    "an allowance that is named twice is taken from once, and the smaller cap holds": """
        allowance budget cost lifetime 10
        hold a cost=6 on budget,budget    -> held
        balance budget           -> used=0 held=6 left=4
        settle a cost=6          -> settled
        balance budget           -> used=6 held=0 left=4
    """,
    "asking for more than the cap never fits": """
        allowance minute tokens 60s 100
        hold a in=101            -> denied minute left=100 waiting retry=never
        allowance flying in_flight lifetime 0
        hold a in=1              -> denied flying left=0 waiting retry=never
    """,
    "an id that was refused may be tried again": """
        allowance budget cost lifetime 10
        hold a cost=10           -> held
        hold b cost=5            -> denied budget left=0 waiting retry=1
        void a                   -> settled
        hold b cost=5            -> held
        balance budget           -> used=0 held=5 left=5
    """,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    """What the name of the scenario says."""
    Scenario().run(SCENARIOS[name])


def test_month_in_new_york() -> None:
    """A month ends at midnight where the organization is, in summer time or not."""
    end_of_march = datetime(2026, 4, 1, 3, 59, 59, tzinfo=UTC)  # 23:59:59 in New York
    scenario = Scenario(ManualClock(int(end_of_march.timestamp()) * NANOS_PER_SECOND))
    scenario.run("allowance month cost month 10")
    month = scenario.allowances["month"]
    here = type(month.window)(month.window.kind, unit="month", time_zone="America/New_York")
    scenario.allowances["month"] = type(month)(month.id, month.scope, month.resource, here, month.cap)
    scenario.run(
        """
        hold a cost=10           -> held
        settle a cost=10         -> settled
        balance month resets     -> used=10 held=0 left=0 resets=1
        wait 1
        balance month resets     -> used=0 held=0 left=10 resets=2592000
        """
    )
