"""The ground floor: money, usage, time, identifiers, errors. Standard library only, no I/O."""
