"""What guardrails think of calls: given as feedback once a call is over, written off its path.

The flags of the usage records say as much, so it may be lost.
"""

from collections.abc import Callable
from typing import Final

from headgate.analytics.feedback import FeedbackService
from headgate.analytics.kept import Feedback
from headgate.dataplane.backlog import Backlog
from headgate.dataplane.call import Call
from headgate.dataplane.exchange import Exchange

MOST_WAITING: Final = 10_000
AT_ONCE: Final = 500


class Opinions(Backlog[Feedback]):
    """Belongs to one process. An observer of calls."""

    def __init__(self, feedback: FeedbackService, on_failure: Callable[[str, BaseException], None]) -> None:
        super().__init__("opinions of guardrails", feedback.keep, on_failure, most=MOST_WAITING, at_once=AT_ONCE)
        self._feedback = feedback

    def ended(self, exchange: Exchange, call: Call) -> None:
        """Each guardrail says once what it thinks of request and answer: of those of the last attempt it saw."""
        if not call.judged:
            return
        last = {(guard.id, what): (guard, passed) for guard, what, passed in call.judged}
        for guard, passed in last.values():
            opinion = guard.on_success if passed else guard.on_fail
            if opinion is not None:
                self.add(
                    self._feedback.made(
                        call.policy.organization_id,
                        call.policy.workspace_id,
                        call.policy.tenant_id,
                        call.policy.key_id,
                        call.trace_id,
                        opinion,
                    )
                )
