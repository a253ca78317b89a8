// Send a message without reloading the page; the message arrives with the live events.
"use strict";

const talk = (form) => {
  const field = form.querySelector("[name=message]");
  const button = form.querySelector("button");
  const wrong = form.querySelector(".wrong");
  const sentAs = form.querySelector("#sent-as");
  let sent = 0;

  const tell = (text) => {
    wrong.textContent = localText(text); // the end of a mute
    wrong.hidden = !text;
    field.setAttribute("aria-invalid", String(Boolean(text)));
    if (text) form.scrollIntoView({ block: "nearest" });
  };

  // What could be a tag gets a blank, so that no game drops it: say so before it is sent.
  const preview = () => {
    const end = field.value.lastIndexOf(">") + 1;
    const text = field.value.slice(0, end).replace(/<(?=[A-Za-z/!])/g, "< ") + field.value.slice(end);
    sentAs.hidden = text === field.value;
    sentAs.textContent = `Games get: ${text}`;
  };

  const send = async (text) => {
    const body = new URLSearchParams(new FormData(form));
    body.append("sent", String(sent += 1)); // the same text twice is meant
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/plain" } });
      if (!answer.ok) {
        // A proxy may answer instead of the daemon, with its own page.
        const plain = answer.headers.get("Content-Type")?.startsWith("text/plain");
        tell(plain ? (await answer.text()).trim() : `Not sent: the network is not responding (${answer.status}).`);
        return;
      }
    } catch {
      tell("No response. Check the channel before you resend.");
      return;
    }
    tell("");
    // Keep what was typed while the message was being sent.
    if (field.value === text) field.value = "";
    preview();
    if (!atEnd) location.assign(log.dataset.at);
    log.scrollTop = 0;
  };

  // No browser error for an empty message.
  form.noValidate = true;
  field.addEventListener("input", preview);
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
