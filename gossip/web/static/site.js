// Enhancements for every page. Every page works without them.
"use strict";

// Times in the reader's time zone; the pages have them in UTC.
const localTimes = (within) => {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.valueOf())) continue;
    time.title = date.toLocaleString();
    const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    if (time.classList.contains("seconds")) parts.second = "2-digit";
    else if (!time.classList.contains("clock")) continue;
    time.textContent = date.toLocaleTimeString([], parts);
  }
};

// Change the colours without a request.
const themeButtons = () => {
  for (const button of document.querySelectorAll(".theme button")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      document.documentElement.dataset.theme = button.value;
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = `theme=${button.value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
      for (const other of document.querySelectorAll(".theme button")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
    });
  }
};

// Filter a table or list while the reader types.
const filters = () => {
  for (const form of document.querySelectorAll("form[data-filter]")) {
    const input = form.querySelector("input[type=search]");
    const only = form.querySelector("input[type=checkbox]");
    const choices = [...form.querySelectorAll("select:not([name=sort])")];
    const said = form.querySelector("output");
    const rows = [...document.querySelectorAll(form.dataset.filter)];
    const apply = () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const fits = row.dataset.text.toLowerCase().includes(wanted) && !(only?.checked && !("online" in row.dataset))
          && choices.every((choice) => !choice.value || row.dataset[choice.name] === choice.value);
        row.hidden = !fits;
        shown += fits;
      }
      said.textContent = shown === rows.length ? "" : `${shown} of ${rows.length}`;
    };
    form.addEventListener("submit", (event) => { event.preventDefault(); apply(); });
    input.addEventListener("input", apply);
    for (const choice of [only, ...choices]) choice?.addEventListener("change", apply);
    form.querySelector("select[name=sort]")?.addEventListener("change", () => form.submit());
    if (input.value || only?.checked || choices.some((choice) => choice.value)) apply();
  }
};

// Of a conversation, copy only what the reader's game sends, one frame per line.
const worthCopying = (text) => {
  if (!/^(?:[<>]|[CS]:) /.test(text)) return text;
  const turns = text.trim().split(/\n(?=(?:[<>]|[CS]:) )/);
  const sent = turns.filter((turn) => /^(?:>|C:) /.test(turn));
  return (sent.length ? sent : turns).map((turn) => turn.replace(/^\S+ /, "").replace(/\n\s+/g, " ")).join("\n");
};

const copyButtons = () => {
  if (!navigator.clipboard) return;
  for (const block of document.querySelectorAll(".manual pre, pre.copy")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy-button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(worthCopying((block.querySelector("code, samp") ?? block).textContent));
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    const frame = document.createElement("div");
    frame.className = "copyable";
    block.replaceWith(frame);
    frame.append(block, button);
  }
};

localTimes(document);
themeButtons();
filters();
copyButtons();
