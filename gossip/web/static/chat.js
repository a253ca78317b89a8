// The chat: keys, the menu of a line, what is new since the last visit, mentions, and the columns beside the talk.
"use strict";

const field = document.querySelector("#message");
const me = log.dataset.me;
const channel = document.querySelector("#title").textContent.slice(1);
const title = document.title;

// What was seen of each channel, in seconds. Only this browser knows it.
const stored = (key, value) => {
  try {
    if (value === undefined) return JSON.parse(localStorage.getItem(key) ?? "null");
    localStorage.setItem(key, JSON.stringify(value));
  } catch { /* it may be forbidden, or full */ }
  return null;
};
const seen = () => stored("seen") ?? {};
const lastLine = () => [...list.querySelectorAll("li[id]")].at(-1);
const see = () => {
  const line = atEnd && lastLine();
  if (line) stored("seen", { ...seen(), [channel]: timeOf(line) / 1000 });
};
const markChannels = () => {
  const known = seen();
  for (const link of document.querySelectorAll(".channels a[data-last]")) {
    const name = link.textContent.slice(1);
    const fresh = name !== channel && name in known && Number(link.dataset.last) > known[name];
    link.classList.toggle("unread", fresh);
    if (fresh) link.setAttribute("aria-label", `${name}, new messages`);
    else link.removeAttribute("aria-label");
  }
};
const since = seen()[channel];
const markNew = () => {
  const lines = [...list.querySelectorAll("li[id]")];
  const first = since === undefined ? -1 : lines.findIndex((line) => timeOf(line) / 1000 > since && !isMine(line));
  if (first < 1 || list.querySelector(".since")) return;
  const rule = document.createElement("li");
  rule.className = "since";
  rule.textContent = "New since your last visit";
  lines[first].before(rule);
  markDay(lines[first]);
  group(lines[first]);
};

// Mentions, the number in the title, and notifications.
const named = me && new RegExp(`(?<![\\p{L}\\p{N}_])${me.replace(/[^\w]/g, "\\$&")}(?![\\p{L}\\p{N}_])`, "iu");
const isMine = (line) => me && speakerOf(line)?.toLowerCase() === `${me}@gossip`.toLowerCase();
const mentionsMe = (line) => {
  if (!named || !speakerOf(line) || isMine(line)) return false;
  const text = line.querySelector(".text").cloneNode(true);
  text.querySelectorAll(".who, .where").forEach((part) => part.remove());
  return named.test(text.textContent);
};
let unseen = 0;
const count = (number) => {
  unseen = number;
  document.title = unseen ? `(${unseen}) ${title}` : title;
};
const notify = document.querySelector("#notify");
const notifies = () => Boolean(notify && stored("notify") && window.Notification?.permission === "granted");
const tellOf = (line) => {
  if (!document.hidden || "undisturbed" in log.dataset || isMine(line) || !speakerOf(line)) return;
  count(unseen + 1);
  if (!notifies() || !mentionsMe(line)) return;
  try {
    const note = new Notification(`#${channel}`, { body: line.querySelector(".text").textContent, tag: line.id });
    note.onclick = () => window.focus();
  } catch { /* some browsers for phones have it, and forbid it */ }
};
// The page may be a second old, and the latest lines come with the stream.
hearing.push(() => { if (performance.now() < 3000) setTimeout(markNew); });
preparing.push((line) => line.classList.toggle("mention", mentionsMe(line)));
hearing.push(tellOf);
document.addEventListener("visibilitychange", () => { if (document.hidden) see(); else count(0); });
window.addEventListener("pagehide", see);

// Two pages of this browser that were hidden keep their connection, to count what comes; the next one waits.
const waiting = new Set();
let release = null;
const keep = () => {
  if (!document.hidden) {
    holds = false;
    release?.();
    return;
  }
  for (const name of ["live-1", "live-2"]) {
    if (waiting.has(name)) continue;
    waiting.add(name);
    navigator.locks?.request(name, () => {
      waiting.delete(name);
      if (holds || !document.hidden) return undefined;
      holds = true;
      wake();
      return new Promise((resolve) => { release = resolve; });
    });
  }
};
document.addEventListener("visibilitychange", keep);

if (notify && me && "Notification" in window) {
  const shown = () => notify.setAttribute("aria-pressed", String(notifies()));
  notify.closest("li").hidden = false;
  shown();
  notify.addEventListener("click", async () => {
    if (notifies()) stored("notify", false);
    else if (await Notification.requestPermission() === "granted") stored("notify", true);
    else toast("Your browser does not allow notifications of this site.");
    shown();
  });
}

// The log is one stop of the tab key. The arrow keys go from line to line, Enter opens the menu of one.
const still = (line) => line.querySelectorAll("a").forEach((link) => { link.tabIndex = -1; });
preparing.push(still);
list.querySelectorAll("li[id]").forEach(still);
const focusLine = (line) => {
  if (!line) return;
  line.tabIndex = -1;
  line.focus();
};
log.addEventListener("keydown", (event) => {
  const lines = [...list.querySelectorAll("li[id]")];
  const line = event.target.closest("li[id]");
  const at = line ? lines.indexOf(line) : lines.length;
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: lines.length - 1 }[event.key];
  if (to !== undefined && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    focusLine(lines[Math.max(0, Math.min(to, lines.length - 1))]);
  } else if (event.key === "Enter" && event.target === line) {
    event.preventDefault(); // or it would press the first button of the menu
    openMenu(line);
  }
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && field && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    field.focus();
  } else if (event.key === "Escape" && (event.target === field || event.target.closest("li[id]"))) {
    if (event.target === field) log.focus({ preventScroll: true });
    else (field ?? log).focus();
  }
});

// The menu of a line.
const menu = document.querySelector("#line-menu");
let chosen = null;
const openMenu = (line) => {
  if (!menu.showPopover) return;
  chosen = line;
  const done = !speakerOf(line) ? ["copy"] : isMine(line) ? ["copy", "remove"] : null;
  for (const item of menu.querySelectorAll("[data-do]")) item.hidden = Boolean(done) && !done.includes(item.dataset.do);
  menu.querySelectorAll(".of-line").forEach((item) => item.remove());
  const links = [...line.querySelectorAll('.text > a[rel], a.where[href]')];
  for (const link of links) {
    const item = document.createElement("a");
    item.className = "of-line";
    item.href = link.href;
    item.rel = link.rel;
    item.target = link.target;
    item.textContent = link.matches(".where") ? `About ${link.textContent.slice(1)}` : link.querySelector("b").textContent;
    menu.append(item);
  }
  menu.showPopover();
  const place = line.querySelector(".permalink").getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, place.right - size.width)}px`;
  menu.style.top = `${Math.max(8, Math.min(place.bottom, innerHeight - size.height - 8))}px`;
  menu.querySelector("button:not([hidden]), a")?.focus();
};
list.addEventListener("click", (event) => {
  const link = event.target.closest(".permalink");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !menu.showPopover) return;
  event.preventDefault();
  openMenu(link.closest("li"));
});
menu.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  moveIn([...menu.querySelectorAll("button:not([hidden]), a")], event.key === "ArrowDown" ? 1 : -1);
});
menu.addEventListener("click", (event) => {
  const what = event.target.closest("[data-do]")?.dataset.do;
  if (!what) return;
  menu.hidePopover();
  const seq = chosen.id.slice(chosen.id.lastIndexOf("-") + 1);
  const who = speakerOf(chosen);
  if (what === "copy") {
    copyText(chosen.querySelector(".permalink").href);
  } else if (what === "reply") {
    field.value = `@${chosen.querySelector(".who").textContent} ${field.value}`;
    field.focus();
  } else if (what === "ignore") {
    const form = document.querySelector("#ask-ignore");
    form.who.value = who;
    stored("just-ignored", who);
    form.submit();
  } else {
    ask(what, seq, who);
  }
});

// A question about a line is answered without leaving the page.
const ask = (what, seq, who) => {
  const form = document.querySelector(`#ask-${what}`);
  form.querySelector(".quote").textContent = chosen.querySelector(".text").textContent;
  form.querySelector(".wrong").hidden = true;
  if (what === "report") form.action = `${log.dataset.at}/${seq}/report`;
  for (const [name, value] of [["who", who], ["id", `${channel}:${seq}`]]) {
    const hidden = form.querySelector(`[name=${name}]`);
    if (hidden) hidden.value = value;
  }
  form.showPopover();
  form.querySelector("[name=reason]").focus();
};
const DONE = { report: "Thank you. An admin will look at it.", mute: "The mute is in effect.", remove: "The message was removed." };
let asked = 0;
for (const form of document.querySelectorAll("form[id^=ask-]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button.main");
    if (button.disabled) return;
    button.disabled = true;
    const wrong = form.querySelector(".wrong");
    const body = new URLSearchParams(new FormData(form));
    body.append("asked", String(asked += 1));
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
      if (answer.ok) {
        form.hidePopover();
        form.querySelector("[name=reason]").value = "";
        toast(DONE[form.getAttribute("id").slice(4)]); // a field is called id, too
        chosen.tabIndex = -1;
        chosen.focus();
      } else {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const why = page.querySelector("main .wrong:not([hidden])") ?? page.querySelector("main p");
        wrong.textContent = localText(why?.textContent ?? answer.statusText);
        wrong.hidden = false;
      }
    } catch {
      wrong.textContent = "No response. Try again in a moment.";
      wrong.hidden = false;
    }
    button.disabled = false;
  });
}

// The columns beside the talk, about once a minute while somebody looks.
const refresh = async () => {
  setTimeout(refresh, 45000 + Math.random() * 30000);
  if (document.hidden) return;
  try {
    const answer = await fetch(`${log.dataset.at}/side`);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-part]")) {
      const place = document.querySelector(`[data-part="${fresh.dataset.part}"]`);
      if (place && place.innerHTML !== fresh.innerHTML && !place.contains(document.activeElement)) place.replaceWith(fresh);
    }
    markChannels();
  } catch { /* later */ }
};

const gone = stored("just-ignored");
if (gone) {
  stored("just-ignored", null);
  if (ignored.has(gone.toLowerCase())) toast(`You do not see ${gone} any more. Your account, Talk, undoes it.`);
}
markNew();
markChannels();
if (!document.hidden) see();
setTimeout(refresh, 60000);
