// Poll how a game is doing, and replace the parts that have changed.
"use strict";

const watching = document.querySelector("[data-poll]");
const state = watching.querySelector(".live");
const SECONDS = 2;

const put = (text, known) => {
  const page = new DOMParser().parseFromString(text, "text/html"); // made by the same escaping template as the page
  for (const fresh of page.querySelectorAll("[data-part]")) {
    const name = fresh.dataset.part;
    const place = watching.querySelector(`[data-part="${name}"]`);
    const written = fresh.innerHTML;
    if (!place || known.get(name) === written) continue;
    const same = !known.has(name) && place.textContent === fresh.textContent;
    known.set(name, written);
    if (same) continue; // or a screen reader would read it again
    place.replaceChildren(...fresh.childNodes);
    localTimes(place);
  }
};

const watch = () => {
  const known = new Map();
  const word = document.createElement("span");
  const button = document.createElement("button");
  let paused = false;
  let timer = null;
  let wait = SECONDS;
  const say = (on, text) => {
    state.dataset.state = on ? "on" : "off";
    if (word.textContent !== text) word.textContent = text;
  };
  const later = () => {
    clearTimeout(timer);
    // A hidden page does not poll.
    if (!paused && !document.hidden) timer = setTimeout(ask, wait * 1000);
  };
  const ask = async () => {
    clearTimeout(timer);
    try {
      const answer = await fetch(watching.dataset.poll, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.redirected || answer.status === 404) {
        location.reload(); // signed out, or the game is gone
        return;
      }
      if (!answer.ok) throw new Error(answer.statusText);
      const text = await answer.text();
      if (paused) return;
      put(text, known);
      wait = SECONDS;
      say(true, "Live");
    } catch {
      wait = Math.min(wait * 2, 60);
      say(false, "Not live: reconnecting");
    }
    later();
  };
  button.type = "button";
  button.textContent = "Pause";
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Resume" : "Pause";
    if (paused) {
      clearTimeout(timer);
      say(false, "Paused");
    } else {
      ask();
    }
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !paused) ask(); });
  state.replaceChildren(word, " ", button);
  say(false, "Connecting");
  ask();
};

watch();
