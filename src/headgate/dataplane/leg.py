"""A call as it is for one target, so that it can try another and be again as it was."""

from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from headgate.dataplane.call import Call
from headgate.ledger.record import Outcome

_FIELDS: Final = (
    *("plan", "told", "document", "head", "of_policies", "allowances", "bound", "max_tokens", "ration", "dialogue"),
    *("outgoing", "flags", "input_guards", "output_guards", "guardrails", "guardrails_told"),
)
_values: Final = attrgetter(*_FIELDS)


@dataclass(frozen=True, slots=True)
class Leg:
    """What follows from where a call goes, as it was when this was taken."""

    _values: tuple[Any, ...]

    @classmethod
    def of(cls, call: Call) -> "Leg":
        return cls(_values(call))

    def take(self, call: Call) -> None:
        """The call is as it was then."""
        for name, value in zip(_FIELDS, self._values, strict=True):
            setattr(call, name, value)


def unsent(call: Call) -> None:
    """Nothing has happened to it yet: what an earlier attempt came to is written down elsewhere."""
    call.sent = False
    call.outcome, call.error, call.status = Outcome.OK, "", 0
    call.first_byte = None
