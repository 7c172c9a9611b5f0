"""What customers may do in the portal, as fields of a form, and back to what the services take."""

from collections.abc import Mapping
from typing import Any, Final

from headgate.console.form import Form
from headgate.tenancy.portal import KeyAccess

KEYS: Final = ("", *KeyAccess)
KEY_WORDS: Final = {
    "": "as otherwise",
    "none": "not seen",
    "read": "seen",
    "manage": "seen, made and revoked",
}
SWITCHES: Final = ("", "yes", "no")
SWITCH_WORDS: Final = {"": "as otherwise"}
_SWITCHED: Final = ("playground", "request_log")


def typed_portal(form: Form) -> dict[str, Any]:
    """Only what is said: for a tenant the rest is its workspace's, for a workspace as it always is."""
    found: dict[str, Any] = {"keys": form.one("portal_keys")} if form.one("portal_keys") else {}
    return found | {name: form.one(f"portal_{name}") == "yes" for name in _SWITCHED if form.one(f"portal_{name}")}


def portal_fields(portal: Mapping[str, Any]) -> dict[str, str]:
    """As the fields show it."""
    switched = {name: "yes" if portal[name] else "no" for name in _SWITCHED if name in portal}
    return {"keys": str(portal.get("keys", "")), **dict.fromkeys(_SWITCHED, ""), **switched}
