"""Disk and database: tables, migrations, repositories, the usage writer, the journal."""
