// Enhancements for every page. Every page works without them.
"use strict";

// Times. One element has one time, and every form of it is in the reader's zone; the pages have them in UTC.
const zoned = new Intl.DateTimeFormat("en-GB", {
  weekday: "long", day: "numeric", month: "long", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
});
const partsOf = (date) => Object.fromEntries(zoned.formatToParts(date).map((part) => [part.type, part.value]));
const relative = new Intl.RelativeTimeFormat("en");
const ago = (date) => {
  const seconds = (date - Date.now()) / 1000;
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 1 ? "now" : relative.format(Math.trunc(seconds), "second");
};
const forms = {
  clock: (at) => `${at.hour}:${at.minute}`,
  seconds: (at) => `${at.hour}:${at.minute}:${at.second}`,
  day: (at) => `${at.weekday}, ${at.day} ${at.month} ${at.year}`,
  date: (at) => `${at.day} ${at.month.slice(0, 3)} ${at.year}`,
  minute: (at) => `${forms.date(at)}, ${forms.clock(at)}`,
  ago: (at, date) => ago(date),
};
const writtenTime = (date, form) => forms[form](partsOf(date), date);

const localTime = (time) => {
  const date = new Date(time.dateTime);
  if (Number.isNaN(date.valueOf())) return;
  const at = partsOf(date);
  time.title = `${forms.day(at)}, ${forms.seconds(at)} ${at.timeZoneName}`;
  const form = Object.keys(forms).find((each) => time.classList.contains(each));
  if (form) time.textContent = forms[form](at, date);
};
const localTimes = (within) => {
  for (const time of within.querySelectorAll("time[datetime]")) localTime(time);
};
const growOlder = () => {
  for (const time of document.querySelectorAll("time.ago")) localTime(time);
};
// The times within a sentence of the network, for example until when somebody is muted.
const localText = (text) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => writtenTime(new Date(time), "minute"));

// A day is one of the reader's. Addresses have its beginning and end in UTC.
const localDays = () => {
  for (const field of document.querySelectorAll("input[type=date]")) {
    const ends = field.name === "to";
    const given = new Date(field.dataset.at);
    if (!Number.isNaN(given.valueOf())) {
      if (ends) given.setDate(given.getDate() - 1); // it ends where the next day begins
      field.value = new Date(given - given.getTimezoneOffset() * 60000).toISOString().slice(0, 10);
    }
    field.form.addEventListener("formdata", ({ formData }) => {
      const day = new Date(`${field.value}T00:00`);
      if (Number.isNaN(day.valueOf())) return;
      if (ends) day.setDate(day.getDate() + 1);
      formData.set(field.name, `${day.toISOString().slice(0, 19)}Z`);
    });
  }
};

// Say briefly that something is done.
const toast = (text) => {
  let place = document.querySelector(".toasts");
  if (!place) {
    place = document.createElement("div");
    place.className = "toasts";
    place.role = "status";
    document.body.append(place);
  }
  const line = document.createElement("p");
  line.textContent = text;
  place.append(line);
  setTimeout(() => line.remove(), 5000);
};

// A form is sent once, however often its button is pressed while the answer is on its way.
const sendOnce = () => {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 10000);
  });
  // The browser may keep the page for its button "Back".
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
};

// Menus close when the reader does something else, and take the arrow keys.
const menus = () => {
  const open = () => document.querySelector("details.menu[open]");
  document.addEventListener("click", (event) => {
    const menu = open();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = open();
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      moveIn([...menu.querySelectorAll("a, ul button")], event.key === "ArrowDown" ? 1 : -1);
    }
  });
};
const moveIn = (items, step) => {
  const at = items.indexOf(document.activeElement);
  items.at((at < 0 && step < 0 ? 0 : at + step) % items.length)?.focus();
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
    form.querySelector("button").hidden = true; // the list follows what is typed and chosen
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

const copyText = async (text, button) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    toast("The browser does not allow that.");
    return;
  }
  if (!button) {
    toast("Copied.");
    return;
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
};

const copyButtons = () => {
  if (!navigator.clipboard) return;
  for (const block of document.querySelectorAll(".manual pre, pre.copy, code.copy")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy-button";
    button.textContent = "Copy";
    button.addEventListener("click", () => {
      copyText(worthCopying((block.querySelector("code, samp") ?? block).textContent), button);
    });
    const inline = block.tagName === "CODE";
    const frame = document.createElement(inline ? "span" : "div");
    frame.className = inline ? "copyable in-line" : "copyable";
    block.replaceWith(frame);
    frame.append(block, button);
  }
};

// Secrets that fill in the guides go with the visit.
document.querySelector("form[action='/sign-out']")?.addEventListener("submit", () => sessionStorage.clear());

localTimes(document);
localDays();
setInterval(growOlder, 30000);
sendOnce();
menus();
themeButtons();
filters();
copyButtons();
