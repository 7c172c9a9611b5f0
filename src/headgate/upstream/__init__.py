"""The only outbound HTTP: a pooled HTTP/1.1 client that sends a credential to the origin it was stored for.

No redirects, no cookies, no environment proxies; every wait has a deadline, every buffer a bound.
"""
