"""`/integrations`, and what of them workspaces and models get"""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane import views
from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.bodies import IntegrationChange, ModelsChange, NewIntegration, ProvisioningChange
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/integrations", tags=["integrations"], route_class=AuthenticatedRoute)
Creator = Annotated[Principal, needs("organisation_integrations.create")]
Lister = Annotated[Principal, needs("organisation_integrations.list")]
Reader = Annotated[Principal, needs("organisation_integrations.read")]
Updater = Annotated[Principal, needs("organisation_integrations.update")]
Deleter = Annotated[Principal, needs("organisation_integrations.delete")]


@router.post("")
async def create(body: NewIntegration, services: WithServices, principal: Creator) -> Answer:
    """Store a provider's credential. No workspace can use it until it is provisioned."""
    found = await services.integrations.create(principal, body.sent())
    return Answer({"id": found.id, "slug": found.slug, "object": "integration"})


@router.get("")
async def find(services: WithServices, page: Paged, principal: Lister, workspace_id: str | None = None) -> Answer:
    """All integrations, or those provisioned to one workspace."""
    found, total = await services.integrations.find(principal, page, workspace=workspace_id)
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
    """Remove it, with its credential, provisioning and models."""
    await services.integrations.delete(principal, slug)
    return done()


@router.get("/{slug}/workspaces")
async def get_workspaces(slug: str, services: WithServices, principal: Reader) -> Answer:
    """What each workspace has of it."""
    found, provisioned = await services.provisioning.get(principal, slug)
    now = services.clock.now()
    return Answer(
        {
            "total": len(provisioned),
            "workspaces": [views.provisioning(of, each, now) for of, each in provisioned],
            "global_workspace_access": views.global_access(found.global_access, now),
        }
    )


@router.put("/{slug}/workspaces")
async def put_workspaces(slug: str, body: ProvisioningChange, services: WithServices, principal: Updater) -> Answer:
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
    """Allow all models or only those enabled; price custom ones."""
    await services.models.update(principal, slug, body.sent())
    return done()


@router.delete("/{slug}/models")
async def delete_models(slug: str, slugs: str, services: WithServices, principal: Updater) -> Answer:
    """Forget what was said about some models: `?slugs=a,b`."""
    await services.models.delete(principal, slug, [each for each in slugs.split(",") if each])
    return done()
