"""What a running process owes its machine: its directory, its lock, its keys, its logs, its signals."""
