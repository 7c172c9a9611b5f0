"use strict";
// Everything here is an addition: without it, pages have tables in the place of charts and a field for the invite's token.
for (const label of document.querySelectorAll("[data-token]")) {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    label.querySelector("input").value = token;
    label.hidden = true;
    history.replaceState(null, "", location.pathname);
  }
}

// Pressed twice, a button does once what it does; after a while, perhaps for a page that never came, again.
addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if ("sent" in form.dataset) return event.preventDefault();
  form.dataset.sent = "";
  setTimeout(() => delete form.dataset.sent, 5000);
});

function drawn(place) {
  const { at, series, unit, zone } = JSON.parse(place.dataset.chart);
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink"), line = style.getPropertyValue("--line");
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const told = (figure, digits) => (unit === "$" ? "$" : "") + figure.toLocaleString("en", { maximumFractionDigits: digits }) + (unit && unit !== "$" ? " " + unit : "");
  const width = () => place.clientWidth;
  const written = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
  const [day, hour, moment] = [{ day: "numeric", month: "short" }, { hour: "2-digit", minute: "2-digit" }, { dateStyle: "medium", timeStyle: "short" }].map(written);
  const when = (seconds) => new Date(seconds * 1000);
  const ofDay = (seconds, step) => {
    const time = hour.format(when(seconds));
    return step >= 86400 || time === "00:00" ? day.format(when(seconds)) : time;
  };
  const plot = new uPlot(
    {
      width: width(),
      height: 200,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      axes: [
        { ...axis, size: 34, values: (_, ticks, __, ___, step) => ticks.map((tick) => ofDay(tick, step)) },
        {
          ...axis,
          size: (_, ticks) => 20 + 7 * Math.max(6, ...(ticks ?? []).map((tick) => tick.length)),
          // A count has nothing between two whole numbers.
          ...(unit ? {} : { incrs: Array.from({ length: 45 }, (_, each) => [1, 2, 5][each % 3] * 10 ** Math.floor(each / 3)) }),
          values: (_, ticks) => ticks.map((tick) => told(tick, 6)),
        },
      ],
      series: [
        { value: (_, seconds) => (seconds === null ? "–" : moment.format(when(seconds))) },
        ...series.map(({ name }, index) => ({
          label: name,
          stroke: style.getPropertyValue("--line-" + index),
          fill: series.length === 1 ? style.getPropertyValue("--wash") : undefined,
          // Told apart without colour too.
          dash: [undefined, [8, 4], [3, 3], [12, 3, 3, 3], [1, 4]][index],
          width: 2,
          value: (_, figure) => (figure === null ? "–" : told(figure, 6)),
        })),
      ],
    },
    [at, ...series.map(({ figures }) => figures.map(Number))],
    place,
  );
  new ResizeObserver(() => plot.setSize({ width: width(), height: 200 })).observe(place);
}

if (window.uPlot) document.querySelectorAll("[data-chart]").forEach(drawn);
