"""The first start: founding the organization, and what its operator is told and asked, once."""

import os
import sys
from collections.abc import Mapping

import structlog

from headgate.bootstrap import Gateway
from headgate.process.provider_keys import VARIABLES, found_in
from headgate.settings import BadSetting, Settings
from headgate.tenancy import keys
from headgate.tenancy.founding import DEFAULT_WORKSPACE, found
from headgate.tenancy.organization import Organization
from headgate.tenancy.principal import Principal

log = structlog.get_logger("headgate.process")


async def first_start(settings: Settings, gateway: Gateway, *, ask: bool = True) -> None:
    """Found the organization where there is none, and print its admin key: this once. Otherwise do nothing. `ask`: the
    operator may be asked, where one is there to answer."""
    preset = preset_key(settings)
    minted = keys.mint(gateway.pepper) if preset is None else keys.adopt(preset, gateway.pepper)
    organization = await found(gateway.administration, minted)
    if organization is None:
        await _warn_of_unused_key(preset, gateway)
        return
    log.info("organization founded", organization_id=organization.id, admin_key_id=minted.id)
    if preset is None:
        print(f"First start. The organization admin key, shown this once:\n\n    {minted.text}\n", flush=True)
        print(f"    export HEADGATE_ADMIN_KEY={minted.text}\n", flush=True)
    else:
        print("First start. The organization admin key is the one in HEADGATE_ADMIN_KEY.\n", flush=True)
    await _offer_integrations(settings, gateway, organization, os.environ, ask=ask)


def preset_key(settings: Settings) -> keys.ParsedKey | None:
    """The admin key of `HEADGATE_ADMIN_KEY`: one of ours, or any long text. Raises `BadSetting` where it is neither."""
    if settings.admin_key is None:
        return None
    if (parsed := keys.parse(settings.admin_key) or keys.chosen(settings.admin_key)) is None:
        raise BadSetting(
            "HEADGATE_ADMIN_KEY: the value (not shown, it is a secret) must be a key that `headgate keys new-admin` "
            "prints, or 12 to 256 printable characters without spaces.",
            param="admin_key",
        )
    return parsed


async def _warn_of_unused_key(preset: keys.ParsedKey | None, gateway: Gateway) -> None:
    if preset is None:
        return
    known = await gateway.administration.transactions.read(lambda stores: stores.api_keys.get(preset.id))
    if known is None:
        log.warning(
            "HEADGATE_ADMIN_KEY is not a key of this installation: it counts at the first start only",
            admin_key_id=preset.id,
        )


async def _offer_integrations(
    settings: Settings, gateway: Gateway, organization: Organization, environ: Mapping[str, str], *, ask: bool
) -> None:
    for provider, credential in found_in(environ).items():
        if settings.adopt_keys or (ask and _agreed(provider)):
            await _integrate(gateway, organization, provider, credential)
            print(f"{VARIABLES[provider]} is now the integration @{provider} of the workspace {DEFAULT_WORKSPACE}.")
        else:
            print(
                f"Found {VARIABLES[provider]}. To make it an integration, and to give it to the default workspace:\n\n"
                f"    headgate integrations add {provider} --from-env\n"
                f"    headgate integrations provision {provider} {DEFAULT_WORKSPACE}\n"
            )
    sys.stdout.flush()


def _agreed(provider: str) -> bool:
    """Asked only where somebody is there to answer."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    answer = input(f"Found {VARIABLES[provider]}. Make it the integration @{provider}? [Y/n] ")
    return answer.strip().lower() in ("", "y", "yes")


async def _integrate(gateway: Gateway, organization: Organization, provider: str, credential: str) -> None:
    operator = Principal.operator(organization.id)
    fields = {"name": provider, "slug": provider, "ai_provider_id": provider, "key": credential}
    await gateway.services.integrations.create(operator, fields)
    await gateway.services.provisioning.update(
        operator, provider, {"workspaces": [{"id": DEFAULT_WORKSPACE, "enabled": True}]}
    )
