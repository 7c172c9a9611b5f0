"""The situations in which budgets get overspent."""

from dataclasses import dataclass, field
from typing import Any, Final

PIXEL: Final = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MODELS: Final = {
    "priced": "sim-fast",
    "steady": "sim-slow",
    "unpriced": "sim-fast",
    "failing": "sim-500",
    "dearer": "sim-fast",
    "gpt-4o": "sim-fast",
}
"""What the simulator is to call each model, and how that behaves."""
PRICES: Final = {
    "priced": (0, 100_000),
    "steady": (0, 100_000),
    "unpriced": (0, 100_000),
    "failing": (0, 100_000),
    "dearer": (0, 1_000_000),
    "gpt-4o": (2_500, 10_000),
}
"""Nano-dollars per token, input and output, as the provider bills them. A hundred tokens of `priced` are a cent."""


@dataclass(frozen=True, slots=True)
class Scene:
    """`callers` at once, each calling again and again until it is told to stop, on a budget of `dollars`.

    `edited_to`: the budget after it was edited, once a few calls are through. `killed`: so many calls in, the gateway
    is killed and started again. `leave`: half of the callers hang up in the middle of their answers.
    """

    name: str
    model: str
    text: str
    callers: int = 200
    dollars: float = 1.0
    max_tokens: int | None = 100
    stream: bool = False
    image: bool = False
    leave: bool = False
    edited_to: float | None = None
    killed: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def budget(self) -> float:
        """What may be spent in the end, in dollars."""
        return self.dollars if self.edited_to is None else self.edited_to

    def body(self, model: str) -> dict[str, Any]:
        """The request, for a gateway that calls the model so."""
        content: Any = self.text
        if self.image:
            content = [{"type": "text", "text": self.text}, {"type": "image_url", "image_url": {"url": PIXEL}}]
        body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": content}], **self.more}
        if self.max_tokens is not None:
            body["max_tokens"] = self.max_tokens
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body


CENT: Final = "Say 100 tokens, please."
SCENES: Final = (
    Scene("a cent each, 1,000 callers", "priced", CENT, callers=1_000),
    Scene("a tenth of what is held", "priced", "Say 10 tokens, please."),
    Scene(
        "no max_tokens, long answers", "priced", "Say 20000 tokens, please.", callers=20, dollars=10, max_tokens=None
    ),
    Scene("a model without a price", "unpriced", CENT),
    Scene("streams", "priced", CENT, stream=True),
    Scene("streams, half of them left", "steady", CENT, stream=True, leave=True),
    Scene("fallback to a dearer model", "failing", CENT),
    Scene("an image in each", "gpt-4o", "Say 10 tokens, please.", dollars=0.25, max_tokens=10, image=True),
    # Streams of a second: twenty are over and twenty under way when the budget is cut, which takes less than a second.
    Scene("cut from $5 to $1 in flight", "steady", CENT, callers=20, dollars=5, stream=True, edited_to=1.0),
    Scene("raised from $0.50 to $1", "priced", CENT, callers=50, dollars=0.5, edited_to=1.0),
    Scene("kill -9 in the middle", "priced", "Say 98 tokens, please.", callers=40, killed=True),
)
