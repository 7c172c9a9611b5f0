"""OpenAI's pictures, speech and transcription. A picture is one pixel; a second of speech is four characters long.

Pictures bill themselves and tokens; speech bills characters; transcription bills seconds, 1,000 bytes each.
"""

import base64
from collections.abc import Iterator
from typing import ClassVar

from headgate.base import usage as meters
from headgate.simulator import tokens
from headgate.simulator.ask import Ask, Json, ProviderError, required
from headgate.simulator.dialects import openai
from headgate.simulator.dialects.base import Frame, Headers, Reply, data_event, named_event, to_json

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"one pixel").decode()
PICTURE_TOKENS = 272
BYTES_PER_SECOND = 1_000
HEARD = "the recording says hello"


class Images(openai.OpenAI):
    name: ClassVar[str] = "openai_images"

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        number = int(body.get("n") or 1)
        bill = {meters.IMAGE: number, meters.OUTPUT_IMAGE: number * PICTURE_TOKENS}
        if prompt := body.get("prompt"):
            bill[meters.INPUT] = tokens.count(str(prompt))
        if files := body.get("files"):
            bill[meters.INPUT_IMAGE] = len(files) * tokens.IMAGE_TOKENS
        return Ask(
            model=required(body, "model", str),
            text="",
            input_tokens=0,
            stream=body.get("stream") in (True, "true"),
            bill=bill,
            extras={"number": number},
        )

    def plain(self, reply: Reply) -> bytes:
        body: Json = {"created": reply.created, "data": [{"b64_json": PIXEL}] * reply.ask.extras["number"]}
        if (told := _tokens(reply)) is not None:
            body["usage"] = told
        return to_json(body)

    def frames(self, reply: Reply) -> Iterator[Frame]:
        yield Frame(named_event("image_generation.partial_image", {"b64_json": PIXEL, "partial_image_index": 0}))
        last: Json = {"b64_json": PIXEL}
        if (told := _tokens(reply)) is not None:
            last["usage"] = told
        yield Frame(named_event("image_generation.completed", last), meters.OUTPUT_IMAGE, PICTURE_TOKENS, last=True)


def _tokens(reply: Reply) -> Json | None:
    if reply.told is None:
        return None
    text, images = reply.told.get(meters.INPUT, 0), reply.told.get(meters.INPUT_IMAGE, 0)
    made = reply.told.get(meters.OUTPUT_IMAGE, 0)
    return {
        "input_tokens": text + images,
        "input_tokens_details": {"text_tokens": text, "image_tokens": images},
        "output_tokens": made,
        "total_tokens": text + images + made,
    }


class Speech(openai.OpenAI):
    name: ClassVar[str] = "openai_speech"

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        said = required(body, "input", str)
        return Ask(
            model=required(body, "model", str),
            text=said,
            input_tokens=0,
            stream=body.get("stream_format") == "sse",
            bill={meters.CHARACTER: len(said)},
            kind="audio/mpeg",
        )

    def plain(self, reply: Reply) -> bytes:
        return _sound(reply.ask.text)

    def frames(self, reply: Reply) -> Iterator[Frame]:
        audio = base64.b64encode(_sound(reply.ask.text)).decode()
        yield Frame(data_event({"type": "speech.audio.delta", "audio": audio}))
        usage = {"input_tokens": tokens.count(reply.ask.text), "output_tokens": 0, "total_tokens": 0}
        yield Frame(data_event({"type": "speech.audio.done", "usage": usage}), last=True)


def _sound(said: str) -> bytes:
    return b"ID3\x04" + said.encode()[::-1] * BYTES_PER_SECOND


class Transcriptions(openai.OpenAI):
    name: ClassVar[str] = "openai_transcriptions"

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        if not body.get("files"):
            raise ProviderError(400, "Missing or wrong parameter: 'file'.")
        form = str(body.get("response_format", "json"))
        length = sum(-(-len(file) // BYTES_PER_SECOND) for file in body["files"])
        return Ask(
            model=required(body, "model", str),
            text="",
            input_tokens=0,
            stream=body.get("stream") == "true",
            bill={meters.AUDIO_SECOND: length},
            kind="text/plain; charset=utf-8" if form in ("text", "srt", "vtt") else "application/json",
        )

    def plain(self, reply: Reply) -> bytes:
        if reply.ask.kind.startswith("text/plain"):
            return HEARD.encode() + b"\n"
        return to_json({"text": HEARD, **_seconds(reply)})

    def frames(self, reply: Reply) -> Iterator[Frame]:
        yield Frame(data_event({"type": "transcript.text.delta", "delta": HEARD}))
        yield Frame(data_event({"type": "transcript.text.done", "text": HEARD, **_seconds(reply)}), last=True)


def _seconds(reply: Reply) -> Json:
    if reply.told is None:
        return {}
    return {"usage": {"type": "duration", "seconds": reply.told.get(meters.AUDIO_SECOND, 0)}}
