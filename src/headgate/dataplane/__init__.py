"""The door for calls. Read `pipeline.py` first: one call in nine steps, as one short function.

`app.py` is the ASGI application around it; `exchange.py` is one HTTP call as the pipeline sees it, so that the server
below can be exchanged. Each step has a file of its own, named after it.
"""
