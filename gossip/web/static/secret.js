// The secret that was just shown fills in the guides, in this tab alone: it is never sent anywhere.
"use strict";

const keyOf = (clientId) => `secret ${clientId}`;

const shown = document.querySelector("[data-secret-of]");
if (shown) {
  sessionStorage.setItem(keyOf(shown.dataset.secretOf), document.getElementById("secret").textContent);
  for (const note of document.querySelectorAll("[data-if-kept]")) note.hidden = false;
}

const guide = document.querySelector("[data-secret-for]");
const secret = guide && sessionStorage.getItem(keyOf(guide.dataset.secretFor));
if (secret) {
  const texts = document.createTreeWalker(guide, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.closest("pre")) text.data = text.data.replaceAll(guide.dataset.placeholder, secret);
  }
}
