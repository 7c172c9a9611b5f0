"""The languages: bytes and objects in, bytes and objects out. No sockets, no clock, no event loop.

`document.py` is a JSON request whose top-level members can be replaced without touching the rest; `sse.py` takes event
streams apart; `dialogue.py` says what one call between a client's format and a provider's looks like. Each format is a
folder or file of its own, listed once in `registry.py`. Where the two sides speak different chat formats,
`translation.py` joins a client's half with a provider's (`halves.py`) through the neutral conversation of `chat.py`.
"""
