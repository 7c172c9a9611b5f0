"""All that is asked about usage, as one."""

from dataclasses import dataclass

from headgate.analytics.bodies import Bodies
from headgate.analytics.breakdown import Breakdowns
from headgate.analytics.exporter import Exporter
from headgate.analytics.exports import ExportService
from headgate.analytics.feedback import FeedbackService
from headgate.analytics.logs import LogService
from headgate.analytics.usage import UsageService


@dataclass(frozen=True, slots=True, kw_only=True)
class Analytics:
    """One of each."""

    usage: UsageService
    breakdowns: Breakdowns
    logs: LogService
    bodies: Bodies
    feedback: FeedbackService
    exports: ExportService
    exporter: Exporter
