"""The services of analytics on a database."""

import os

from headgate.analytics.bodies import Bodies
from headgate.analytics.breakdown import Breakdowns
from headgate.analytics.exporter import Exporter
from headgate.analytics.exports import ExportService
from headgate.analytics.feedback import FeedbackService
from headgate.analytics.logs import LogService
from headgate.analytics.services import Analytics
from headgate.analytics.usage import UsageService
from headgate.base.ids import RandomBytes
from headgate.storage.analytics.bodies import SqlBodies
from headgate.storage.analytics.export_files import SqlExportFiles
from headgate.storage.analytics.feedback import SqlFeedback
from headgate.storage.analytics.logs import SqlLogReader
from headgate.storage.analytics.reader import SqlUsageReader
from headgate.storage.database import Database
from headgate.tenancy.administration import Administration


def analytics_on(
    database: Database, administration: Administration, log_key: bytes, random_bytes: RandomBytes = os.urandom
) -> Analytics:
    """Ready to be asked. `log_key` seals bodies and signs links."""
    transactions, clock = administration.transactions, administration.clock
    sums, records = SqlUsageReader(database, clock), SqlLogReader(database)
    bodies = Bodies(SqlBodies(database), log_key, clock, random_bytes)
    exports = ExportService(administration, sums, log_key)
    usage = UsageService(transactions, sums, clock)
    return Analytics(
        usage=usage,
        breakdowns=Breakdowns(usage, sums),
        logs=LogService(transactions, records, sums, bodies, clock),
        bodies=bodies,
        feedback=FeedbackService(transactions, SqlFeedback(database), clock, random_bytes),
        exports=exports,
        exporter=Exporter(SqlExportFiles(database), records, bodies, exports.calls_of, clock),
    )
