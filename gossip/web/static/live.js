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

const arrangeDays = () => {
  for (const old of list.querySelectorAll(".day")) old.remove();
  let last = "";
  for (const line of [...list.children]) {
    const date = new Date(line.querySelector("time").dateTime);
    const day = date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year: "numeric" });
    if (day !== last) {
      const item = document.createElement("li");
      item.className = "day";
      item.append(document.createElement("span"));
      item.firstChild.textContent = day;
      line.before(item);
      last = day;
    }
  }
};

const show = (line) => {
  if (!line || document.getElementById(line.id)) return;
  localTimes(line);
  line.classList.add("fresh");
  list.append(line);
  const most = Number(log.dataset.most || 1000);
  const lines = list.querySelectorAll("li:not(.day)");
  for (let extra = 0; extra < lines.length - most; extra += 1) lines[extra].remove();
  log.querySelector(".nothing").hidden = true;
  arrangeDays();
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

const history = () => {
  let link = log.querySelector("a.earlier[rel=prev]");
  if (!link) return;
  const load = async () => {
    const answer = await fetch(link.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const older = [...page.querySelectorAll(".lines li:not(.day)")].map((line) => document.adoptNode(line));
    // Whoever listens wants to hear what is new, not what is old.
    log.setAttribute("aria-live", "off");
    for (const line of older) localTimes(line);
    list.prepend(...older.filter((line) => !document.getElementById(line.id)));
    arrangeDays();
    setTimeout(() => log.removeAttribute("aria-live"), 500);
    const next = page.querySelector("a.earlier[rel=prev]");
    if (next) {
      link.href = next.getAttribute("href");
      watch.unobserve(link);
      watch.observe(link);
    } else {
      link.remove();
    }
  };
  const watch = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) load();
  }, { root: log, rootMargin: "200px" });
  watch.observe(link);
  link.addEventListener("click", (event) => { event.preventDefault(); load(); });
};

arrangeDays();
if (log.dataset.live) live();
history();
document.querySelector(".found")?.scrollIntoView({ block: "center" });
