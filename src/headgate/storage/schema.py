"""Every table there is, in one `metadata`: what the migrations are compared with."""

from headgate.storage.alert_tables import metadata

__all__ = ["metadata"]
