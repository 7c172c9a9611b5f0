"""Can a budget be overspent? Many callers at one small budget, judged by the books of the provider who bills.

scene.py      the situations: who calls, with what, and what happens meanwhile
play.py       plays a scene before a gateway, and joins what everybody says
headgate.py   Headgate as a gateway to be tried
shared.py     Headgate in several processes, on PostgreSQL and Valkey
idle.py       what one node borrowed and does not use, and another needs
litellm.py    LiteLLM, with its own PostgreSQL, configured as its documentation says
table.py      `python -m bench overspend [--peers]`
"""
