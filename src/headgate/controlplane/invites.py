"""`/admin/users/invites`: asking people to become users, by a link that works once."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from headgate.controlplane import people_views
from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, OpenTo, WithServices, needs
from headgate.controlplane.origin import origin_of
from headgate.controlplane.paging import Paged
from headgate.controlplane.people_bodies import Acceptance, NewInvite
from headgate.controlplane.services import Services
from headgate.tenancy.invite import Invite
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/admin/users/invites", tags=["invites"], route_class=AuthenticatedRoute)
acceptance = APIRouter(prefix="/admin/users/invites", tags=["invites"], route_class=APIRoute)

Creator = Annotated[Principal, needs("organisation_users.create")]


@router.post("")
async def create(body: NewInvite, services: WithServices, principal: Creator) -> Answer:
    """Invite somebody. `invite_link` in the answer is the only time it is shown; `mailed`: it is sent, too."""
    return _link(services, *await services.invites.create(principal, body.sent()))


@router.get("")
async def find(
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("organisation_users.list")],
    role: str | None = None,
    email: str | None = None,
    status: str | None = None,
) -> Answer:
    """All invites; `status` is `pending`, `accepted`, `cancelled` or `expired`."""
    found, total = await services.invites.find(principal, page, role=role, email=email, status=status)
    now = services.clock.now()
    return listing([people_views.invite(each, now) for each in found], total)


@router.get("/{invite_id}")
async def get(
    invite_id: str, services: WithServices, principal: Annotated[Principal, needs("organisation_users.read")]
) -> Answer:
    """One invite: everything but its link."""
    return Answer(people_views.invite(await services.invites.get(principal, invite_id), services.clock.now()))


@router.delete("/{invite_id}")
async def cancel(
    invite_id: str, services: WithServices, principal: Annotated[Principal, needs("organisation_users.delete")]
) -> Answer:
    """Cancel it: its link is none any more."""
    await services.invites.cancel(principal, invite_id)
    return done()


@router.post("/{invite_id}/resend")
async def resend(invite_id: str, services: WithServices, principal: Creator) -> Answer:
    """A new link for it; the one before is none any more."""
    return _link(services, *await services.invites.resend(principal, invite_id))


@acceptance.post("/accept", dependencies=[Depends(OpenTo("the token of an invite"))])
async def accept(body: Acceptance, services: WithServices, request: Request) -> Answer:
    """Become a user. `api_keys` in the answer is the only time they are shown."""
    origin = await origin_of(request, Acceptance)
    made = await services.invites.accept(body.token, body.sent(), origin)
    keys = [
        {"id": key.id, "key": text, "workspace_id": key.workspace_id, "object": "api-key"} for key, text in made.keys
    ]
    return Answer(people_views.user(made.user, made.places) | {"api_keys": keys})


def _link(services: Services, invite: Invite, link: str) -> Answer:
    told = {"id": invite.id, "invite_link": link, "mailed": services.invites.mails}
    return Answer(told | {"object": "organisation-user-invite"})
