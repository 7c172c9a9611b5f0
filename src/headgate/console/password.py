"""A forgotten password: asking for a letter, and choosing a new one with its link."""

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from headgate.base.errors import HeadgateError
from headgate.console.form import EMPTY, audited, form_of, require_own_origin
from headgate.console.visit import Console


class Password:
    """The pages for those who cannot sign in."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def forgot(self, request: Request) -> Response:
        """The form, or whom to ask where no letters are sent."""
        return self._forgot(request)

    async def ask(self, request: Request) -> Response:
        """The same answer, after the same time, whether there is such a user or not: the letter is written after it."""
        require_own_origin(request, self._console.url)
        email = (await form_of(request)).one("email")
        resets, origin = self._console.services.password_resets, audited(request, EMPTY)
        try:
            await resets.admit(email, origin)
        except HeadgateError as error:
            return self._forgot(request, error=error)
        response = self._forgot(request, asked=True)
        response.background = BackgroundTask(resets.ask, email, origin)
        return response

    async def new(self, request: Request) -> Response:
        """The token is behind `#` in the link, so only the page's script, or whoever pastes it, can know it."""
        return self._console.page(request, "password_new.html", done=False, error=None)

    async def choose(self, request: Request) -> Response:
        """He signs in with it afterwards, as always."""
        require_own_origin(request, self._console.url)
        form, origin = await form_of(request), audited(request, EMPTY)
        try:
            await self._console.services.password_resets.complete(form.one("token"), form.exact("password"), origin)
        except HeadgateError as error:
            return self._console.page(request, "password_new.html", status=error.status, done=False, error=error)
        return self._console.page(request, "password_new.html", done=True, error=None)

    def _forgot(self, request: Request, *, asked: bool = False, error: HeadgateError | None = None) -> Response:
        mails = self._console.services.password_resets.mails
        status = error.status if error else 200
        return self._console.page(request, "password.html", status=status, mails=mails, asked=asked, error=error)
