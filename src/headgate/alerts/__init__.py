"""Alerts on their way out: signed webhooks and letters, each receiver in a lane of its own, tried until they arrive."""
