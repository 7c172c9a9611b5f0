"""Single sign-on, as the settings say."""

from headgate.base.clock import Clock
from headgate.bootstrap.report import report
from headgate.settings import Settings
from headgate.tenancy.sign_on.issuer import Issuer, SignOnSettings
from headgate.upstream.client import Client
from headgate.upstream.fetch import Asker


def issuer_of(settings: Settings, client: Client, clock: Clock) -> Issuer | None:
    """None where there is none. It is asked over the client that calls go by, with its vetted addresses."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    domains = (settings.oidc_domains or "").lower().split(",")
    told = SignOnSettings(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        scopes=settings.oidc_scopes,
        domains=tuple(name for each in domains if (name := each.strip().removeprefix("@"))),
        role=settings.oidc_default_role,
        workspace=settings.oidc_default_workspace,
    )
    return Issuer(told, Asker(client), clock, report)
