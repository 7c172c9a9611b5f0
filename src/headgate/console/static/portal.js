"use strict";
// The playground: with this script the answer is shown as it comes; without it, the form brings a page with all of it.
const form = document.querySelector("[data-playground]");

function shown(name, text) {
  const place = document.querySelector(`[data-${name}]`);
  place.hidden = text === null;
  if (name !== "answer") place.textContent = text ?? "";
  return place;
}

function settled(told) {
  const number = (count) => count.toLocaleString("en");
  shown("settled", `${number(told.input_tokens)} tokens in, ${number(told.output_tokens)} out. Cost: $${told.cost_usd}. ${told.model}, ${number(Number(told.milliseconds))} ms.`);
}

function heard(event, text) {
  const lines = event.split("\n");
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("\n");
  if (!data || data === "[DONE]") return;
  const told = JSON.parse(data);
  if (lines.includes("event: settled")) return settled(told);
  if (told.error) return void shown("error", told.error.message);
  for (const choice of told.choices ?? []) text.append(choice.delta?.content ?? "");
}

async function relayed(answer, text) {
  const decoder = new TextDecoder();
  let rest = "";
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + decoder.decode(value, { stream: true })).replaceAll("\r\n", "\n").split("\n\n");
    rest = events.pop();
    events.forEach((event) => heard(event, text));
  }
}

async function send(event) {
  event.preventDefault();
  const [button, stop] = ["send", "stop"].map((name) => form.querySelector(`[data-${name}]`));
  const busy = form.querySelector("[data-busy]");
  const text = document.querySelector("[data-text]");
  const ending = new AbortController();
  shown("error", null);
  shown("settled", null);
  shown("answer", "");
  text.replaceChildren();
  stop.onclick = () => ending.abort();
  button.disabled = true;
  stop.hidden = false;
  busy.classList.add("htmx-request");
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { accept: "text/event-stream" },
      body: new URLSearchParams(new FormData(form)),
      signal: ending.signal,
    });
    const streams = answer.headers.get("content-type").startsWith("text/event-stream");
    if (streams) await relayed(answer, text);
    else shown("error", answer.headers.get("content-type").startsWith("application/json") ? (await answer.json()).error.message : "Your session is over. Load the page again.");
  } catch (error) {
    if (error.name !== "AbortError") shown("error", "The connection broke. Send it again.");
  } finally {
    button.disabled = false;
    stop.hidden = true;
    busy.classList.remove("htmx-request");
  }
}

if (form) form.addEventListener("submit", send);
