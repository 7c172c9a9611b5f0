"""A provider that keeps its own books: the upstream of the demo, the tests and the benchmarks.

One process speaks the dialects of OpenAI, Anthropic and Gemini. What it answers follows from the request alone, what
goes wrong is chosen by the model's name (`behaviours.py` is the list), and what it bills is in an append-only journal
that can be joined with the gateway's usage records (`books.py`).

    ask.py        what a request wants, whatever its dialect
    answer.py     the answer to it, and what that is billed
    dialects/     one file per format: request to `Ask`, answer to bytes
    deliveries.py how bytes go out: steadily, slowly, not at all, cut off half-way
    behaviours.py model name -> behaviour
    journal.py    what was billed, on disk; books.py reads it
    app.py        the ASGI application; server.py runs it
"""
