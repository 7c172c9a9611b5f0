"""Cohere's chat, second version. A provider's format only: no client of ours speaks it."""
