"""The Portkey SDK: calls with a customer's key, administration with the admin key."""

import portkey_ai
from _told import ARGUMENTS, failure, tell
from portkey_ai import Portkey

customer = Portkey(api_key=ARGUMENTS["key"], base_url=ARGUMENTS["base_url"])
admin = Portkey(api_key=ARGUMENTS["admin_key"], base_url=ARGUMENTS["base_url"])
hello = [{"role": "user", "content": "hello there"}]
model = ARGUMENTS["model"]


def plain():
    answer = customer.chat.completions.create(model=model, messages=hello, max_tokens=100)
    return {"text": answer.choices[0].message.content, "trace": bool(answer.get_headers().get("trace-id"))}


def streamed():
    chunks = customer.chat.completions.create(model=model, messages=hello, max_tokens=100, stream=True)
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def with_provider_header():
    name = model.rpartition("/")[2]
    answer = customer.with_options(provider="@openai").chat.completions.create(
        model=name, messages=hello, max_tokens=100
    )
    return answer.choices[0].message.content


def errors():
    stranger = Portkey(api_key="pk-nobody", base_url=ARGUMENTS["base_url"])

    def chat(of, name):
        return lambda: of.chat.completions.create(model=name, messages=hello, max_tokens=100)

    return {
        "wrong key": failure(chat(stranger, model), Exception),
        "refused": failure(chat(customer, ARGUMENTS["refused"]), Exception),
        "failing": failure(chat(customer, ARGUMENTS["failing"]), Exception),
        "not an administrator": failure(
            lambda: customer.admin.workspaces.list(), portkey_ai.api_resources.exceptions.APIStatusError
        ),
    }


def administration():
    """As the guide's script does it: find the workspace, make a customer's key, call with it."""
    workspaces = admin.admin.workspaces.list()
    made = admin.api_keys.create(
        name="made by the sdk",
        workspace_id=ARGUMENTS["workspace"],
        type="workspace",
        sub_type="service",
        scopes=["completions.write"],
        defaults={"metadata": {"user_email": "ada@example.com"}},
    )
    caller = Portkey(api_key=made.key, base_url=ARGUMENTS["base_url"])
    answer = caller.chat.completions.create(model=model, messages=hello, max_tokens=100)
    listed = admin.api_keys.list(workspace_id=ARGUMENTS["workspace"])
    return {
        "workspaces": [each.slug for each in workspaces.data],
        "text": answer.choices[0].message.content,
        "listed": [each["name"] for each in listed.data],
        "masked": all(made.key not in str(each) for each in listed.data),
    }


tell(
    plain=plain(),
    streamed=streamed(),
    with_provider_header=with_provider_header(),
    models=[each.id for each in customer.models.list().data],
    errors=errors(),
    administration=administration(),
)
