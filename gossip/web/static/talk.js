// Talk without loading the page again: what was said comes back with what all others say.
"use strict";

const talk = (form) => {
  const field = form.querySelector("[name=message]");
  const button = form.querySelector("button");
  const wrong = form.querySelector(".wrong");

  const tell = (text) => {
    // A mute says in UTC when it ends.
    wrong.textContent = text.replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, (time) => new Date(time).toLocaleString());
    wrong.hidden = !text;
    field.setAttribute("aria-invalid", String(Boolean(text)));
    if (text) form.scrollIntoView({ block: "nearest" });
  };

  const send = async (text) => {
    const body = new URLSearchParams(new FormData(form));
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/plain" } });
      if (!answer.ok) {
        // A proxy may answer in our place, with a page of its own.
        const plain = answer.headers.get("Content-Type")?.startsWith("text/plain");
        tell(plain ? (await answer.text()).trim() : `Not said: the network does not answer (${answer.status}).`);
        return;
      }
    } catch {
      tell("No answer came. Look whether it was said before you send it again.");
      return;
    }
    tell("");
    // Who wrote on in the meantime keeps what he wrote.
    if (field.value === text) field.value = "";
    document.querySelector(".log").scrollTop = 0;
  };

  // What is blank is not worth a complaint of the browser.
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled || !field.value.trim()) return;
    button.disabled = true;
    field.focus();
    await send(field.value);
    button.disabled = false;
  });
};

for (const form of document.querySelectorAll("form.say")) talk(form);
