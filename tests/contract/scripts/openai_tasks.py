"""The OpenAI SDK beyond conversations: moderation, pictures, sound, files, responses by id, batches."""

import io
import json

import openai
from _told import ARGUMENTS, failure, tell

client = openai.OpenAI(base_url=ARGUMENTS["base_url"], api_key=ARGUMENTS["key"], max_retries=0)
other = openai.OpenAI(base_url=ARGUMENTS["base_url"], api_key=ARGUMENTS["other"], max_retries=0)
model = ARGUMENTS["model"]
wav = bytes.fromhex(ARGUMENTS["wav"])


def pictures():
    made = client.images.generate(model=model, prompt="a gate", n=2)
    edited = client.images.edit(model=model, prompt="wider", image=[io.BytesIO(b"one"), io.BytesIO(b"two")])
    varied = client.images.create_variation(model=model, image=io.BytesIO(b"one"))
    events = client.images.generate(model=model, prompt="a gate", stream=True, partial_images=1)
    return {
        "made": len(made.data),
        "edited": len(edited.data),
        "varied": len(varied.data),
        "events": [event.type for event in events],
    }


def sound():
    whole = client.audio.speech.create(model=model, voice="alloy", input="hello").read()
    with client.audio.speech.with_streaming_response.create(model=model, voice="alloy", input="hello") as answer:
        streamed = b"".join(answer.iter_bytes())
    heard = client.audio.transcriptions.create(model=model, file=("a.wav", wav))
    text = client.audio.transcriptions.create(model=model, file=("a.wav", wav), response_format="text")
    english = client.audio.translations.create(model=model, file=("a.wav", wav))
    return {"same": whole == streamed, "size": len(whole), "heard": [heard.text, text.strip(), english.text]}


def kept():
    made = client.responses.create(model=model, input="hello there")
    found = client.responses.retrieve(made.id)
    then = client.responses.create(model=model, input="and then?", previous_response_id=made.id)
    foreign = failure(lambda: other.responses.retrieve(made.id), openai.NotFoundError)
    client.responses.delete(made.id)
    gone = failure(lambda: client.responses.retrieve(made.id), openai.NotFoundError)
    return {"text": found.output_text, "then": then.output_text, "foreign": foreign, "gone": gone}


def files():
    body = {"model": model.partition("/")[2], "max_tokens": 5, "messages": [{"role": "user", "content": "hello"}]}
    line = {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": body}
    sent = client.files.create(file=("lines.jsonl", json.dumps(line).encode()), purpose="batch")
    listed = [each.id for each in client.files.list()]
    batch = client.batches.create(input_file_id=sent.id, endpoint="/v1/chat/completions", completion_window="24h")
    done = client.batches.retrieve(batch.id)
    results = client.files.content(done.output_file_id).read()
    return {
        "listed": listed == [sent.id],
        "batches": [each.id for each in client.batches.list()] == [batch.id],
        "result": json.loads(results)["custom_id"],
        "others": [
            len(list(other.files.list())),
            failure(lambda: other.files.content(done.output_file_id), openai.NotFoundError),
        ],
        "deleted": client.files.delete(sent.id).deleted,
    }


tell(
    flagged=client.moderations.create(model=model, input="do no harm").results[0].flagged,
    pictures=pictures(),
    sound=sound(),
    kept=kept(),
    files=files(),
)
