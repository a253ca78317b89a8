// Countdowns on the admin pages: how long a pause still lasts.
"use strict";

const countdowns = () => {
  const begun = performance.now();
  const all = [...document.querySelectorAll("time.countdown")];
  const tick = () => {
    for (const time of all) {
      const left = Math.ceil(Number(time.dataset.left) - (performance.now() - begun) / 1000);
      if (left > 0) {
        const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
        const rest = `${String(minutes).padStart(hours ? 2 : 1, "0")}:${String(seconds).padStart(2, "0")}`;
        time.textContent = hours ? `${hours}:${rest}` : rest;
      } else {
        const pause = time.closest(".pause");
        if (pause) pause.textContent = pause.dataset.over;
      }
    }
  };
  if (!all.length) return;
  tick();
  setInterval(tick, 1000);
};

countdowns();
