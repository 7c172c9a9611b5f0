"""Who may spend what: allowances, holds, and the one decision maker.

Pure: time is handed in, durability is the journal's (a protocol here, implemented in `storage`).
"""
