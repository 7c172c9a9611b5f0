"""What every request body is: a JSON object whose unknown fields are ignored, and that can be shown without secrets."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from headgate.base.redaction import REDACTED, redacted, without_secrets

SECRET: Final[JsonDict] = {"writeOnly": True}
"""`json_schema_extra` of a field that never comes out again, neither in an answer nor in the audit log."""
STAYS: Final[JsonDict] = {"readOnly": True}
"""`json_schema_extra` of a field that is settled when the object is made: it may be sent as it is, and no other."""

Reference = Annotated[str, Field(min_length=1)]
"""A slug or an id, where none means all: an empty one is somebody's mistake, and does not."""


class Body(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(extra="ignore")

    def sent(self) -> dict[str, Any]:
        """Only what the caller sent: a field that is null is another thing than one that is absent."""
        return self.model_dump(exclude_unset=True)

    def masked(self) -> dict[str, Any]:
        """The same for the audit log: of a field that is `SECRET` no more than that it was sent."""
        return {name: self._masked(name, getattr(self, name)) for name in sorted(self.model_fields_set)}

    def _masked(self, name: str, value: Any) -> Any:
        if type(self).model_fields[name].json_schema_extra == SECRET:
            return _hidden(value)
        if isinstance(value, Body):
            return value.masked()
        if isinstance(value, list):
            return [each.masked() if isinstance(each, Body) else without_secrets(each) for each in value]
        return redacted(name, value)


def _hidden(value: Any) -> Any:
    """Its shape, and the names in it."""
    if isinstance(value, dict):
        return {name: _hidden(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    return value if value is None or isinstance(value, bool) else REDACTED
