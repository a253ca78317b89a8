// Charts: times in the reader's zone, and the value under the pointer. The table below each chart has all values.
"use strict";

const [WIDTH, HEIGHT] = [400, 160];
const DAY = 86400;

const axisTime = (seconds, step) => {
  const parts = step >= 3 * DAY ? { month: "short", year: "numeric" }
    : step < 7200 ? { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
      : { day: "numeric", month: "short" };
  return new Date(seconds * 1000).toLocaleString([], parts);
};

const exactTime = (seconds, step) => {
  const parts = { day: "numeric", month: "short", year: "numeric" };
  if (step < DAY) Object.assign(parts, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return new Date(seconds * 1000).toLocaleString([], parts);
};

for (const chart of document.querySelectorAll("svg[data-values]")) {
  const [start, step, left, across] = ["start", "step", "left", "across"].map((name) => Number(chart.dataset[name]));
  const values = JSON.parse(chart.dataset.values);
  chart.querySelector(".zone").remove();
  for (const tick of chart.querySelectorAll(".tick")) tick.textContent = axisTime(Number(tick.dataset.at), step);

  const caption = chart.closest("figure").querySelector("figcaption");
  const said = document.createElement("span");
  said.className = "under-pointer";
  caption.append(said);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  line.setAttribute("class", "pointer");
  line.setAttribute("y1", 0);
  line.setAttribute("y2", HEIGHT - 22);
  const show = (event) => {
    const box = chart.getBoundingClientRect();
    const share = ((event.clientX - box.left) * WIDTH / box.width - left) / across;
    const index = Math.min(Math.max(Math.round(share * (values.length - 1)), 0), values.length - 1);
    const at = left + across * index / Math.max(values.length - 1, 1);
    line.setAttribute("x1", at);
    line.setAttribute("x2", at);
    chart.append(line);
    const value = values[index] === null ? "not counted" : `${values[index].toLocaleString()} ${chart.dataset.what}`;
    said.textContent = `${exactTime(start + index * step, step)}: ${value}`;
  };
  const hide = () => {
    line.remove();
    said.textContent = "";
  };
  chart.addEventListener("pointermove", show);
  chart.addEventListener("pointerdown", show);
  chart.addEventListener("pointerleave", hide);
}
