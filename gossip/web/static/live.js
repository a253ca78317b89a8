// Talk that comes in live: server-sent events, history on scroll, days in the reader's own time zone.
"use strict";

const log = document.querySelector(".log");
const list = log.querySelector(".lines");
const state = document.querySelector(".live");

const parsed = (text) => {
  const template = document.createElement("template");
  template.innerHTML = text; // made by the same escaping template as the page itself
  return template.content;
};

const days = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const dayOf = (line) => days.format(new Date(line.querySelector("time").dateTime));
const isDay = (item) => item?.classList.contains("day");

// A day stands before its first line. One that is right is left alone: whoever listens heard it already.
const markDay = (line) => {
  let mark = isDay(line.previousElementSibling) ? line.previousElementSibling : null;
  const before = (mark ?? line).previousElementSibling;
  const day = dayOf(line);
  if (before && dayOf(before) === day) {
    mark?.remove();
    return;
  }
  if (!mark) {
    mark = document.createElement("li");
    mark.className = "day";
    mark.append(document.createElement("span"));
    line.before(mark);
  }
  if (mark.firstChild.textContent !== day) mark.firstChild.textContent = day;
};

let trimming = null;

// Lets the oldest lines go, unless they are being read, and leads back to them.
const trim = () => {
  trimming = null;
  const lines = list.querySelectorAll("li:not(.day)");
  const extra = lines.length - Number(log.dataset.most || 1000);
  if (extra <= 0 || log.scrollTop < -log.clientHeight) return;
  for (let gone = 0; gone < extra; gone += 1) lines[gone].remove();
  while (isDay(list.children[1])) list.firstElementChild.remove();
  const all = log.querySelector(".all");
  if (!all) return; // the front page, a glimpse only
  let link = all.querySelector("a.earlier[rel=prev]");
  if (!link) {
    link = document.createElement("a");
    link.className = "earlier";
    link.rel = "prev";
    link.textContent = "Earlier";
    all.prepend(link);
    history(link);
  }
  const first = lines[extra];
  const seq = first.id.slice(first.id.lastIndexOf("-") + 1);
  link.href = `${first.querySelector("a.channel").getAttribute("href")}?before=${seq}`;
};

const show = (line) => {
  if (!line || document.getElementById(line.id)) return;
  localTimes(line);
  line.classList.add("fresh");
  list.append(line);
  markDay(line);
  log.querySelector(".nothing").hidden = true;
  // Where the reader is costs a layout of the page: not for each of many lines.
  trimming ??= setTimeout(trim, 50);
};

const live = () => {
  let last = log.dataset.last;
  let source = null;
  let timer = null;
  let wait = 2000;
  const say = (on) => {
    state.hidden = false;
    state.dataset.state = on ? "on" : "off";
    state.textContent = on ? "Live" : "Not live: trying again";
  };
  const open = () => {
    clearTimeout(timer);
    if (document.hidden) return; // when somebody sees it is early enough
    source?.close();
    source = new EventSource(`${log.dataset.live}?after=${encodeURIComponent(last)}`);
    source.onopen = () => { wait = 2000; say(true); };
    source.onmessage = (event) => {
      if (event.lastEventId) last = event.lastEventId;
      show(parsed(event.data).querySelector("li"));
    };
    source.addEventListener("reload", () => location.reload());
    source.onerror = () => {
      say(false);
      if (source.readyState === EventSource.CLOSED) {
        // Refused, or a proxy answered in our place: the browser would not try again.
        timer = setTimeout(open, wait * (0.5 + Math.random() / 2));
        wait = Math.min(wait * 2, 60000);
      }
    };
  };
  // A browser has only a few connections to one host: a page that nobody sees needs none.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      timer = setTimeout(() => { source?.close(); say(false); }, 30000);
    } else {
      clearTimeout(timer);
      if (!source || source.readyState === EventSource.CLOSED) open();
    }
  });
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
};

let quiet = null;

const history = (link) => {
  const load = async () => {
    const asked = link.href;
    const answer = await fetch(asked);
    // It may have come twice, or other lines may have gone meanwhile.
    if (!answer.ok || link.href !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (link.href !== asked) return;
    const lines = [...page.querySelectorAll(".lines li:not(.day)")];
    const older = lines.filter((line) => !document.getElementById(line.id)).map((line) => document.adoptNode(line));
    // Whoever listens wants to hear what is new, not what is old.
    log.setAttribute("aria-live", "off");
    for (const line of older) localTimes(line);
    const first = list.querySelector("li:not(.day)");
    list.prepend(...older);
    for (const line of older) markDay(line);
    if (first) markDay(first);
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

for (const line of list.querySelectorAll("li:not(.day)")) markDay(line);
if (log.dataset.live) live();
const earlier = log.querySelector("a.earlier[rel=prev]");
if (earlier) history(earlier);
document.querySelector(".found")?.scrollIntoView({ block: "center" });
