"""Every number in the README is printed by a command here: `python -m bench [name ...]`, `make bench`."""
