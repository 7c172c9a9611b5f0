"""Making, changing and removing stored prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from headgate.base.errors import InvalidRequest
from headgate.tenancy import rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.principal import Principal
from headgate.tenancy.prompt import Prompt
from headgate.tenancy.prompt_template import MESSAGES, VARIABLES, template_of
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.version import Version
from headgate.tenancy.versions import free_slug, next_version, place_of, record, visible, within

LARGEST: Final = 256 * 1024
"""Characters of a prompt, as JSON."""
_PARTS: Final = ("model", MESSAGES, "parameters")


class PromptService:
    """`fields`: `name`, `model`, `messages` (or `string`: one message of the user, or a JSON array of messages),
    `parameters`, and `workspace_id` for a new one. A prompt is a workspace's."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> Prompt:
        """Raises `InvalidRequest` naming the field."""

        def work(change: Change) -> Prompt:
            workspace_id = place_of(change, fields)
            if workspace_id is None:
                raise InvalidRequest("`workspace_id` is required: a prompt is a workspace's.", param="workspace_id")
            blank = Prompt(
                id=change.new_id("prm"),
                organization_id=principal.organization_id,
                workspace_id=workspace_id,
                slug=free_slug(change, change.stores.prompts, "pp"),
                name="",
                document={},
                version_id="",
                created_at=change.now,
                updated_at=change.now,
            )
            prompt, version = _written(blank, {"name": None, **fields}, change)
            change.stores.prompts.add(prompt, version)
            record(change, "create", "prompt", prompt, _seen(prompt))
            return prompt

        return await self._administration.change(principal, work)

    async def find(
        self, principal: Principal, page: Page, *, workspace: str | None = None
    ) -> tuple[Sequence[Prompt], int]:
        def work(stores: Stores) -> tuple[Sequence[Prompt], int]:
            place = within(stores, principal, workspace)
            return stores.prompts.find(principal.organization_id, page, workspace_id=place)

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, reference: str) -> Prompt:
        return await self._administration.transactions.read(lambda stores: _visible(stores, principal, reference))

    async def render(self, principal: Principal, reference: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request that a call with these variables would make. Raises `InvalidRequest`."""
        return template_of(await self.get(principal, reference)).render(request)

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> Prompt:
        """What is not sent stays. Always a new version; the next call has it."""

        def work(change: Change) -> Prompt:
            prompt, version = _written(_visible(change.stores, principal, reference), fields, change)
            change.stores.prompts.update(prompt, version)
            record(change, "update", "prompt", prompt, {"fields": sorted(fields)} | _seen(prompt))
            return prompt

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, reference: str) -> None:
        """With its versions; usage records keep its name."""

        def work(change: Change) -> None:
            prompt = _visible(change.stores, principal, reference)
            change.stores.prompts.remove(prompt.id)
            record(change, "delete", "prompt", prompt, {"slug": prompt.slug, "name": prompt.name})

        await self._administration.change(principal, work)


def _visible(stores: Stores, principal: Principal, reference: str) -> Prompt:
    return visible(stores.prompts, principal, "prompt", reference)


def _written(prompt: Prompt, fields: Mapping[str, Any], change: Change) -> tuple[Prompt, Version]:
    document = {**prompt.document, **_document(fields)}
    if not document.get(MESSAGES):
        raise InvalidRequest("`messages` (or `string`) is required.", param=MESSAGES)
    rules.document(document, MESSAGES, LARGEST)
    name = rules.name(fields["name"]) if "name" in fields else prompt.name
    after = replace(prompt, name=name, document=document, version_id=change.new_id("ver"), updated_at=change.now)
    version = next_version(
        change, change.stores.prompts, after.id, after.version_id, {"name": after.name, **after.document}
    )
    return after, version


def _document(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: fields[name] for name in _PARTS if fields.get(name) is not None}
    if fields.get("string") is not None:
        if MESSAGES in found:
            raise InvalidRequest("Send `messages` or `string`, not both.", param="string")
        found[MESSAGES] = _messages_in(fields["string"])
    if MESSAGES in found:
        _check_messages(found[MESSAGES])
    taken = {VARIABLES, MESSAGES, "model"} & found.get("parameters", {}).keys()
    if taken:
        name = min(taken)
        raise InvalidRequest(f"`parameters.{name}` stands beside `parameters`, not in it.", param=f"parameters.{name}")
    return found


def _messages_in(text: str) -> Any:
    """One text is what the user says; an array of messages is just that."""
    if text.lstrip().startswith("["):
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            raise InvalidRequest("`string` is no JSON array of messages.", param="string") from None
    return [{"role": "user", "content": text}]


def _check_messages(messages: object) -> None:
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("`messages` must be a list of messages.", param=MESSAGES)
    for at, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise InvalidRequest(f"`messages.{at}` must be an object with a `role`.", param=f"{MESSAGES}.{at}")


def _seen(prompt: Prompt) -> dict[str, Any]:
    return {"slug": prompt.slug, "name": prompt.name, "version_id": prompt.version_id, "prompt": dict(prompt.document)}
