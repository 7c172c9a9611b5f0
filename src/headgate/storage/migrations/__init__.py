"""Schema changes, in order, inside the package: an installed wheel brings its own. See `storage.migrate`."""
