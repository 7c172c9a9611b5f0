"""What guardrails check: pure functions over the name of a model, or over the text of a request or an answer.

Every kind of check is in the registry (`registry.py`), those that come with Headgate and those that are installed.
"""
