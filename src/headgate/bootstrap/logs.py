"""What is kept of calls beside their records, in the background: bodies, the feedback of guardrails, exports."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from headgate.bootstrap.report import report
from headgate.controlplane.services import Services
from headgate.dataplane.app import Observer
from headgate.dataplane.body_log import BodyLog
from headgate.dataplane.opinions import Opinions


@dataclass(frozen=True, slots=True)
class Logs:
    """Each has a `write`: returns when what it was given is in the database."""

    bodies: BodyLog
    opinions: Opinions

    @property
    def observers(self) -> tuple[Observer, ...]:
        """Those that are told of every call."""
        return self.bodies, self.opinions


def start_logs(services: Services, closing: AsyncExitStack) -> Logs:
    """They run until `closing`."""
    analytics = services.analytics
    logs = Logs(BodyLog(analytics.bodies, services.clock, report), Opinions(analytics.feedback, report))
    for each in (logs.bodies, logs.opinions):
        closing.push_async_callback(each.close)
        each.start()
    closing.push_async_callback(analytics.exporter.run(report).close)
    return logs
