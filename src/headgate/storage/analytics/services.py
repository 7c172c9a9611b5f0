"""The services of analytics on a database."""

from headgate.analytics.services import Analytics
from headgate.analytics.usage import UsageService
from headgate.storage.analytics.reader import SqlUsageReader
from headgate.storage.database import Database
from headgate.tenancy.administration import Administration


def analytics_on(database: Database, administration: Administration) -> Analytics:
    """Ready to be asked."""
    transactions, clock = administration.transactions, administration.clock
    return Analytics(usage=UsageService(transactions, SqlUsageReader(database, clock), clock))
