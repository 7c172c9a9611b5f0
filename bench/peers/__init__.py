"""What Headgate is measured beside: nginx as a plain proxy, and the gateways that a package brings.

Each in its own environment under `.venvs`, configured as its own documentation says, in front of the same mock.
"""
