// Live messages: server-sent events, older messages on scroll, days in the reader's time zone.
"use strict";

const log = document.querySelector(".log");
const list = log.querySelector(".lines");
const state = document.querySelector(".live");

const parsed = (text) => {
  const template = document.createElement("template");
  template.innerHTML = text; // made by the same escaping template as the page
  return template.content;
};

const dayOf = (line) => writtenTime(new Date(line.querySelector("time").dateTime), "day");
const isDay = (item) => item?.classList.contains("day");

// Each day has a heading before its first line. A correct one is left alone, or a screen reader would read it again.
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

// Remove the oldest lines, unless the reader has scrolled to them, and link back to them.
const trim = () => {
  trimming = null;
  const lines = list.querySelectorAll("li:not(.day)");
  const extra = lines.length - Number(log.dataset.most || 1000);
  if (extra <= 0 || log.scrollTop < -log.clientHeight) return;
  for (let gone = 0; gone < extra; gone += 1) lines[gone].remove();
  while (isDay(list.children[1])) list.firstElementChild.remove();
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
  // Reading the scroll position costs a layout: do it once for many lines.
  trimming ??= setTimeout(trim, 50);
};

// A removed message changes where it stands.
const change = (line) => {
  const known = line && document.getElementById(line.id);
  known?.querySelector(".text").replaceWith(line.querySelector(".text"));
};

const live = () => {
  let last = log.dataset.last;
  let source = null;
  let timer = null;
  let wait = 2000;
  const say = (on) => {
    state.hidden = false;
    state.dataset.state = on ? "on" : "off";
    state.textContent = on ? "Live" : "Not live: reconnecting";
  };
  const open = () => {
    clearTimeout(timer);
    if (document.hidden) return; // opened when the page becomes visible
    source?.close();
    source = new EventSource(`${log.dataset.live}?after=${encodeURIComponent(last)}&since=${log.dataset.since}`);
    source.onopen = () => { wait = 2000; say(true); };
    source.onmessage = (event) => {
      if (event.lastEventId) last = event.lastEventId;
      show(parsed(event.data).querySelector("li"));
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
  // A browser has few connections per host: a hidden page gives its own up.
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
    // The link may have changed while the page was loading.
    if (!answer.ok || link.href !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (link.href !== asked) return;
    const lines = [...page.querySelectorAll(".lines li:not(.day)")];
    const older = lines.filter((line) => !document.getElementById(line.id)).map((line) => document.adoptNode(line));
    // A screen reader must announce new messages only.
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
