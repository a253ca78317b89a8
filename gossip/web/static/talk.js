// Send a message without reloading the page; the message arrives with the live events.
"use strict";

const talk = (form) => {
  const field = form.querySelector("[name=message]");
  const button = form.querySelector("button");
  const wrong = form.querySelector(".wrong");

  const tell = (text) => {
    wrong.textContent = localText(text); // the end of a mute
    wrong.hidden = !text;
    field.setAttribute("aria-invalid", String(Boolean(text)));
    if (text) form.scrollIntoView({ block: "nearest" });
  };

  const send = async (text) => {
    const body = new URLSearchParams(new FormData(form));
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
    document.querySelector(".log").scrollTop = 0;
  };

  // No browser error for an empty message.
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
