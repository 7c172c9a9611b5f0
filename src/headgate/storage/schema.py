"""Every table there is, in one `metadata`: what the migrations are compared with."""

from typing import Final

from headgate.storage import (
    alert_tables,
    analytics_tables,
    answer_tables,
    batch_tables,
    config_tables,
    console_tables,
    kept_tables,
    log_tables,
    people_tables,
    portal_tables,
    process_tables,
    sign_in_tables,
    tables,
)

MODULES: Final = (
    tables,
    alert_tables,
    analytics_tables,
    answer_tables,
    batch_tables,
    config_tables,
    console_tables,
    kept_tables,
    log_tables,
    people_tables,
    portal_tables,
    process_tables,
    sign_in_tables,
)
metadata: Final = tables.metadata
