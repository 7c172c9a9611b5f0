"""What becomes of usage records once they are written: graphs, groups, request logs, feedback and exports.

`stores` says what is asked of storage; the services hold the rules: who sees which calls, and what a question may be.
"""
