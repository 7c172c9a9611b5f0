"""Passwords of users: argon2id, with a salt of their own; what is kept cannot be turned back.

Hashing takes tens of milliseconds and as many megabytes on purpose, so it runs beside the event loop, few at a time.
"""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from headgate.base.errors import InvalidRequest

SHORTEST: Final = 12
LONGEST: Final = 256
AT_ONCE: Final = 2
"""Hashes under way: more would let strangers who try passwords take the memory of the gateway."""

_HASHER: Final = PasswordHasher()


class Passwords:
    """Hashes and checks."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def hashed(self, password: object, param: str = "password") -> str:
        """What is kept of it. Raises `InvalidRequest` for one that is too short or too long."""
        if not isinstance(password, str) or not SHORTEST <= len(password) <= LONGEST:
            raise InvalidRequest(f"`{param}` must have {SHORTEST} to {LONGEST} characters.", param=param)
        async with self._turns:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def right(self, password: str, kept: str | None) -> bool:
        """Whether it is the password. None is kept of nobody: then it takes as long, and is wrong."""
        if len(password) > LONGEST:
            return False
        async with self._turns:
            return await asyncio.to_thread(_right, password, kept)


def _right(password: str, kept: str | None) -> bool:
    if kept is None:
        _HASHER.hash(password)  # so that the time an answer takes does not say whether there is such a user
        return False
    try:
        return _HASHER.verify(kept, password)
    except VerifyMismatchError:
        return False
