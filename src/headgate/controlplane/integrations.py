"""`/integrations`, and what of them workspaces and models get"""

from typing import Annotated

from fastapi import APIRouter, Query

from headgate.base.errors import InvalidRequest
from headgate.controlplane import integration_views as views
from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.integration_bodies import IntegrationChange, ModelsChange, NewIntegration, ProvisioningChange
from headgate.controlplane.paging import Paged
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/integrations", tags=["integrations"], route_class=AuthenticatedRoute)
Creator = Annotated[Principal, needs("organisation_integrations.create", "workspace_integrations.create")]
Lister = Annotated[Principal, needs("organisation_integrations.list", "workspace_integrations.list")]
Reader = Annotated[Principal, needs("organisation_integrations.read", "workspace_integrations.read")]
Updater = Annotated[Principal, needs("organisation_integrations.update", "workspace_integrations.update")]
Provisioner = Annotated[Principal, needs("organisation_integrations.update")]
Deleter = Annotated[Principal, needs("organisation_integrations.delete", "workspace_integrations.delete")]
_OWNED = {"all": None, "organisation": False, "workspace": True}
"""By `type`: whether it must belong to a workspace."""


@router.post("")
async def create(body: NewIntegration, services: WithServices, principal: Creator) -> Answer:
    """Store a provider's credential. No workspace can use it until it is provisioned; with `workspace_id` it is that
    workspace's own."""
    found = await services.integrations.create(principal, body.sent())
    return Answer({"id": found.id, "slug": found.slug, "object": "integration"})


@router.get("")
async def find(
    services: WithServices,
    page: Paged,
    principal: Lister,
    workspace_id: str | None = None,
    kind: Annotated[str, Query(alias="type", description="organisation, workspace or all")] = "all",
) -> Answer:
    """All integrations that the caller may see, or those that one workspace has."""
    if kind not in _OWNED:
        raise InvalidRequest("`type` must be organisation, workspace or all.", param="type")
    found, total = await services.integrations.find(principal, page, workspace=workspace_id, owned=_OWNED[kind])
    return listing([views.integration(each) for each in found], total)


@router.get("/{slug}")
async def get(slug: str, services: WithServices, principal: Reader) -> Answer:
    """One integration, by slug or id; its credential masked."""
    found, provisioned = await services.provisioning.get(principal, slug)
    return Answer(views.integration_detail(found, [each for _, each in provisioned], services.clock.now()))


@router.put("/{slug}")
async def update(slug: str, body: IntegrationChange, services: WithServices, principal: Updater) -> Answer:
    """Change what is sent. Another host needs the credential again."""
    await services.integrations.update(principal, slug, body.sent())
    return done()


@router.delete("/{slug}")
async def delete(slug: str, services: WithServices, principal: Deleter) -> Answer:
    """Remove it, with its credential, providers and models. One of the organization's must be taken back from all
    workspaces first."""
    await services.integrations.delete(principal, slug)
    return done()


@router.post("/{slug}/test")
async def test(slug: str, services: WithServices, principal: Updater) -> Answer:
    """Ask the provider now, for nothing, whether it takes the credential. The answer is 200 whatever comes of it:
    `outcome` is `accepted`, `refused`, `unclear` or `unreachable`."""
    return Answer(views.credential_check(await services.credential_checks.check(principal, slug)))


@router.get("/{slug}/workspaces")
async def get_workspaces(slug: str, services: WithServices, principal: Reader) -> Answer:
    """What each workspace has of it."""
    found, provisioned = await services.provisioning.get(principal, slug)
    standings = await services.standings.of(found.organization_id, [each for _, each in provisioned])
    pairs = zip(provisioned, standings, strict=True)
    return Answer(
        {
            "total": len(provisioned),
            "workspaces": [views.provisioning(of, each, standing) for (of, each), standing in pairs],
            "global_workspace_access": views.global_access(found.global_access, services.clock.now()),
        }
    )


@router.put("/{slug}/workspaces")
async def put_workspaces(slug: str, body: ProvisioningChange, services: WithServices, principal: Provisioner) -> Answer:
    """Give it to the workspaces that are named, or take it away, each with its own limits."""
    await services.provisioning.update(principal, slug, body.sent())
    return done()


@router.get("/{slug}/models")
async def get_models(slug: str, services: WithServices, principal: Reader) -> Answer:
    """The models an administrator said something about, then the others that the catalog knows."""
    found, models = await services.models.get(principal, slug)
    said = {model.slug for model in models}
    known = [each for each in services.catalog.models(found.kind) if each not in said]
    listed = [views.model(model) for model in models]
    listed += [views.catalog_model(each, found.allow_all_models) for each in known]
    return Answer({"total": len(listed), "allow_all_models": found.allow_all_models, "models": listed})


@router.put("/{slug}/models")
async def put_models(slug: str, body: ModelsChange, services: WithServices, principal: Updater) -> Answer:
    """Allow all models or only those enabled; price them, by their own price or their base model's, and say where those
    of your own live."""
    await services.models.update(principal, slug, body.sent())
    return done()


@router.delete("/{slug}/models")
async def delete_models(slug: str, slugs: str, services: WithServices, principal: Updater) -> Answer:
    """Forget what was said about some models: `?slugs=a,b`."""
    await services.models.delete(principal, slug, [each for each in slugs.split(",") if each])
    return done()
