"""Request bodies of alerts and webhooks."""

from pydantic import Field

from headgate.controlplane.body import STAYS, Body, Reference


class WebhookChange(Body):
    url: str | None = Field(None, description="https, without redirects; http where private addresses are allowed.")
    description: str | None = None
    types: list[str] | None = Field(None, description="What it is told; empty for everything.")
    status: str | None = Field(None, description="`active` or `disabled`.")
    rotate_secret: bool | None = Field(None, description="For a day messages are signed with the old secret too.")
    workspace_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)
    tenant_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)

    def sent(self) -> dict[str, object]:
        return {name: value for name, value in super().sent().items() if name != "url" or value is not None}


class NewWebhook(Body):
    url: str
    description: str | None = None
    types: list[str] | None = None
    workspace_id: Reference | None = Field(None, description="Slug or id: it is told of this workspace only.")
    tenant_id: Reference | None = Field(None, description="Slug or id: it is told of this tenant only.")


class AlertSettingChange(Body):
    percents: list[int] | None = Field(None, description="Of the cap, 1 to 100; null: inherited.")
    emails: list[str] | None = None
