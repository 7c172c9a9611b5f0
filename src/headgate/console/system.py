"""How the installation stands: what it is built on, what is under way, and having its books added up again."""

from typing import Final

from starlette.responses import RedirectResponse, Response

from headgate.console.visit import HOME, Visit
from headgate.tenancy import system

SYSTEM: Final = f"{HOME}/system"
READ: Final = (system.READ,)
UPDATE: Final = (system.UPDATE,)
MOST_HOLDS: Final = 100


async def show(visit: Visit) -> Response:
    """All of it."""
    state = await visit.services.system.state(visit.principal, holds=MOST_HOLDS)
    return visit.page("system.html", state=state, verification=state.verification, now=visit.services.clock.now())


async def verify(visit: Visit) -> Response:
    """Begin to add up. The page says how far it is."""
    visit.services.system.verify(visit.principal)
    return RedirectResponse(f"{SYSTEM}#books", 303)


async def progress(visit: Visit) -> Response:
    """The part of the page about the books; to a script that part alone, which asks again while it runs."""
    if not visit.of_script:
        return RedirectResponse(f"{SYSTEM}#books", 303)
    state = await visit.services.system.state(visit.principal, holds=0)
    response = visit.page("system_books.html", verification=state.verification, now=visit.services.clock.now())
    response.headers.add_vary_header("hx-request")
    return response
