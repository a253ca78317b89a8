// Live messages: server-sent events, older messages on scroll, days in the reader's time zone.
"use strict";

const log = document.querySelector("[data-live]");
const list = log.querySelector(".lines");
const state = document.querySelector(".live");
const atEnd = log.dataset.last !== undefined; // otherwise the page shows older lines, and counts new ones
const grouped = log.classList.contains("one");
const pill = document.querySelector(".pill");
const TOGETHER = 300000; // as on the server

const parsed = (text) => {
  const template = document.createElement("template");
  template.innerHTML = text; // made by the same escaping template as the page
  return template.content;
};

const timeOf = (line) => new Date(line.querySelector("time").dateTime);
const dayOf = (line) => writtenTime(timeOf(line), "day");
const isDay = (item) => item?.classList.contains("day");
const speakerOf = (line) => line.querySelector(".who") && line.querySelector(".who").textContent + line.querySelector(".where").textContent;

// A line that goes on with what the same player said right before it does not name them again.
const group = (line) => {
  if (!grouped || !line) return;
  const before = line.previousElementSibling;
  const goesOn = before && !before.matches(".day, .emote, .since") && !line.matches(".emote, .found") && speakerOf(line)
    && speakerOf(line) === speakerOf(before) && timeOf(line) - timeOf(before) <= TOGETHER;
  line.classList.toggle("more", Boolean(goesOn));
  if (!goesOn && !line.querySelector(".emblem")) emblem(line);
};
const emblem = (line) => {
  const where = line.querySelector(".where");
  const picture = document.createElement("img");
  picture.className = "emblem";
  picture.alt = "";
  picture.loading = "lazy";
  picture.src = `/games/${encodeURIComponent(where.textContent.slice(1))}/emblem.svg`;
  line.querySelector(".text").prepend(picture);
};

// Each day has a heading before its first line. A correct one is left alone, or a screen reader would read it again.
const markDay = (line) => {
  let mark = isDay(line.previousElementSibling) ? line.previousElementSibling : null;
  let before = (mark ?? line).previousElementSibling;
  if (before?.matches(".since")) before = before.previousElementSibling;
  const day = dayOf(line);
  if (before && !isDay(before) && dayOf(before) === day) {
    mark?.remove();
    return;
  }
  if (!mark) {
    mark = document.createElement("li");
    mark.className = "day";
    mark.append(document.createElement(line.closest("[data-at]") ? "a" : "span"));
    line.before(mark);
  }
  if (mark.firstChild.textContent !== day) mark.firstChild.textContent = day;
  if (mark.firstChild.localName === "a") {
    // It begins when it begins for the reader; by keyboard, the log is one stop.
    const at = timeOf(line);
    at.setHours(0, 0, 0, 0);
    mark.firstChild.href = `${line.closest("[data-at]").dataset.at}?on=${at.toISOString().slice(0, 19)}Z`;
    mark.firstChild.tabIndex = -1;
  }
};

const prepare = (line) => {
  localTimes(line);
  markDay(line);
  group(line);
  preparing.forEach((each) => each(line));
};
// What other scripts do with each line.
const preparing = [];
const hearing = [];

let trimming = null;

// Remove the oldest lines, unless the reader has scrolled to them, and link back to them.
const trim = () => {
  trimming = null;
  const lines = list.querySelectorAll("li[id]");
  const extra = lines.length - Number(log.dataset.most || 2000);
  if (extra <= 0 || log.scrollTop < -log.clientHeight) return;
  for (let gone = 0; gone < extra; gone += 1) lines[gone].remove();
  while (list.children[1] && !list.children[1].id) list.firstElementChild.remove();
  group(lines[extra]);
  const all = log.querySelector(".all");
  if (!all) return; // the front page shows the latest lines only
  let link = all.querySelector("a.earlier[rel=prev]");
  if (!link) {
    link = document.createElement("a");
    link.className = "earlier";
    link.rel = "prev";
    link.textContent = "Older messages";
    all.prepend(link);
    history(link);
  }
  const id = lines[extra].id;
  link.href = `${log.dataset.at}?before=${id.slice(id.lastIndexOf("-") + 1)}`;
};

// The number of lines that the reader has not scrolled down to.
let below = 0;
const countBelow = (more) => {
  below = more ? below + more : 0;
  if (!pill) return;
  pill.hidden = !below;
  pill.textContent = `${below} new`;
};
// Whether the reader has scrolled up. To ask the log for each line would cost a layout for each.
let away = false;

// Whom the reader ignores: a game, or player@game.
const ignored = new Set(JSON.parse(log.dataset.ignored ?? "[]"));
const isIgnored = (line) => {
  const speaker = speakerOf(line)?.toLowerCase();
  if (!speaker || speaker === `${log.dataset.me}@gossip`.toLowerCase()) return false;
  return ignored.has(speaker) || ignored.has(speaker.slice(speaker.lastIndexOf("@") + 1));
};

const show = (line) => {
  if (!line || document.getElementById(line.id) || isIgnored(line)) return;
  hearing.forEach((each) => each(line));
  if (!atEnd) {
    countBelow(1);
    return;
  }
  line.classList.add("fresh");
  list.append(line);
  prepare(line);
  log.querySelector(".nothing").hidden = true;
  if (away) countBelow(1);
  // Reading the scroll position costs a layout: do it once for many lines.
  trimming ??= setTimeout(trim, 50);
};

// A removed message changes wherever it stands, and keeps its place. What can be done about it goes.
const change = (line) => {
  if (!line) return;
  const places = (name) => document.querySelectorAll(`[data-${name}="${line.id}"]`);
  for (const known of [document.getElementById(line.id), ...places("line")].filter(Boolean)) {
    const text = known.querySelector(".text");
    if (text) text.replaceWith(line.querySelector(".text").cloneNode(true));
    else known.replaceChildren(line.querySelector(".gone").cloneNode(true));
    known.classList.remove("more", "emote", "mention");
    if (known.parentElement !== list) continue;
    group(known);
    if (known.nextElementSibling?.id) group(known.nextElementSibling);
  }
  for (const deed of places("deed")) deed.hidden = !deed.contains(document.activeElement);
};

const live = () => {
  let last = log.dataset.last;
  let source = null;
  let timer = null;
  let wait = 2000;
  const word = document.createElement("span");
  const held = [];
  let paused = false;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Pause";
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Resume" : "Pause";
    if (!paused) held.splice(0).forEach((each) => each());
    say(source?.readyState === EventSource.OPEN);
  });
  const take = (act) => {
    if (!paused) {
      act();
      return;
    }
    held.push(act);
    say(true);
  };
  const say = (on) => {
    if (!state) return;
    state.hidden = false;
    state.dataset.state = on && !paused ? "on" : "off";
    const text = !on ? "Not live: reconnecting" : !paused ? "Live" : held.length ? `Paused, ${held.length} new` : "Paused";
    if (word.textContent !== text) word.textContent = text;
  };
  if (state && atEnd) state.replaceChildren(word, " ", button);
  const open = () => {
    clearTimeout(timer);
    if (document.hidden && !holds) return; // opened when the page becomes visible
    source?.close();
    const after = last === undefined ? "" : `after=${encodeURIComponent(last)}&`;
    source = new EventSource(`${log.dataset.live}?${after}since=${log.dataset.since}`);
    source.onopen = () => { wait = 2000; say(true); };
    source.onmessage = (event) => {
      if (event.lastEventId && atEnd) last = event.lastEventId;
      if (list) take(() => show(parsed(event.data).querySelector("li")));
    };
    source.addEventListener("removed", (event) => change(parsed(event.data).querySelector("li")));
    source.addEventListener("reload", () => location.reload());
    source.onerror = () => {
      say(false);
      if (source.readyState === EventSource.CLOSED) {
        // Refused, or a proxy answered instead of the daemon: the browser does not retry by itself.
        timer = setTimeout(open, wait * (0.5 + Math.random() / 2));
        wait = Math.min(wait * 2, 60000);
      }
    };
  };
  const wake = () => {
    clearTimeout(timer);
    if (!source || source.readyState === EventSource.CLOSED) open();
  };
  // A browser has few connections per host: a hidden page gives its own up, but for one that counts what comes.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) timer = setTimeout(() => { if (!holds) { source?.close(); say(false); } }, 30000);
    else wake();
  });
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
  return wake;
};
let holds = false;

let quiet = null;

const history = (link) => {
  link.tabIndex = -1; // it loads when the reader comes up to it: by keyboard, the log is one stop
  const load = async () => {
    const asked = link.href;
    const answer = await fetch(asked);
    // The link may have changed while the page was loading.
    if (!answer.ok || link.href !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (link.href !== asked) return;
    const lines = [...page.querySelectorAll(".lines li[id]")];
    const older = lines.filter((line) => !document.getElementById(line.id)).map((line) => document.adoptNode(line));
    // A screen reader must announce new messages only.
    log.setAttribute("aria-live", "off");
    const first = list.querySelector("li[id]");
    list.prepend(...older);
    for (const line of older) prepare(line);
    if (first) {
      markDay(first);
      group(first);
    }
    clearTimeout(quiet);
    quiet = setTimeout(() => log.removeAttribute("aria-live"), 500);
    const next = page.querySelector("a.earlier[rel=prev]");
    if (next) {
      link.href = next.getAttribute("href");
      watch.unobserve(link);
      watch.observe(link);
    } else {
      watch.disconnect();
      link.remove();
    }
  };
  const watch = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) load();
  }, { root: log, rootMargin: "200px" });
  watch.observe(link);
  link.addEventListener("click", (event) => { event.preventDefault(); load(); });
};

if (list) {
  for (const line of list.querySelectorAll("li[id]")) {
    markDay(line);
    group(line);
  }
  const earlier = log.querySelector("a.earlier[rel=prev]");
  if (log.classList.contains("from-first")) {
    // From its end on, it stays where it is while older lines come in above it.
    log.classList.remove("from-first");
    list.querySelector("li")?.scrollIntoView();
  }
  if (earlier) history(earlier);
  const toFound = () => document.querySelector(".found")?.scrollIntoView({ block: "center" });
  toFound();
  // A form about it takes room from the log.
  for (const each of document.querySelectorAll("#report details")) each.addEventListener("toggle", toFound);
}
if (pill && atEnd) {
  pill.addEventListener("click", (event) => { event.preventDefault(); log.scrollTop = 0; });
  log.addEventListener("scroll", () => {
    away = log.scrollTop < -40;
    if (!away) countBelow(0);
  }, { passive: true });
}
const wake = live();
