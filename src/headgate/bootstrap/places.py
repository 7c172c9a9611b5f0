"""Where things are kept."""

from typing import Final

from headgate.settings import Settings

DATABASE_FILE: Final = "headgate.db"
JOURNAL_DIRECTORY: Final = "journal"


def database_url(settings: Settings) -> str:
    """The PostgreSQL database of the settings, or the SQLite file of the data directory."""
    return settings.database_url or f"sqlite:///{settings.data_dir.absolute() / DATABASE_FILE}"
