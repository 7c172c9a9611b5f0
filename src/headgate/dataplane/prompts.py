"""A call that is made from a stored prompt: from here on it is a chat like any other."""

import msgspec

from headgate.base.errors import NotFound
from headgate.dataplane.call import Call
from headgate.wire.document import Document


def from_prompt(call: Call, path: str) -> Document:
    """The chat request that this prompt comes to with the variables that were sent. The call's record will name it.

    Raises `NotFound`, for a prompt of another workspace as for none, and `InvalidRequest`.
    """
    name = path.removesuffix("/completions").rpartition("/")[2]
    template = call.policy.prompts.get(name)
    if template is None:
        raise NotFound(f"There is no prompt `{name[:200]}` in this workspace.", param="prompt_id")
    call.prompt = template.slug
    return Document(msgspec.json.encode(template.render(call.document.decode())))
