"""Who hears of alerts by e-mail, and at which percents."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlertSetting:
    """Of an organization, or of one of its workspaces."""

    organization_id: str
    workspace_id: str = ""
    """Empty: of the organization."""
    percents: tuple[int, ...] | None = None
    """None: the organization's for a workspace, 80, 90 and 100 for the organization. Empty: none."""
    emails: tuple[str, ...] = ()
