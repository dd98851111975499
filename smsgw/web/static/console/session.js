"use strict";
// A page may lie open for longer than its official is signed in. A form of somebody who is signed in no more is not
// read, and so it is asked first, and waits with all that was typed until they are signed in again, in another tab.

const FRESH = 60000; // milliseconds for which whoever was shown a page is taken to be signed in
// Milliseconds in which who presses twice means once: what answers the second time would hide the first answer, or say
// that somebody else was there before.
const SAME_PRESS = 5000;
const asking = new Set(), sure = new Set(); // forms
const sent = new Map(); // forms, and when

// Nothing comes of a moment without the gateway: null. Of who is not signed in: 401, and not the door's page.
async function asked(address) {
  try {
    return await fetch(address, { headers: { "X-Script": "1" } });
  } catch {
    return null;
  }
}

async function send(form, button) {
  const said = document.querySelector("#signed-out");
  const answer = await asked(said.dataset.token);
  const now = answer?.ok ? await answer.json() : null;
  asking.delete(form);
  said.hidden = !(answer?.status === 401 || (now && now.name !== said.dataset.name));
  if (!said.hidden) {
    form.append(said);
    said.scrollIntoView({ block: "nearest" });
    return;
  }
  if (now) form.querySelector("[name=csrf_token]").value = now.token;
  sure.add(form);
  form.requestSubmit(button);
}

for (const form of document.querySelectorAll("main form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (event.submitter?.formMethod === "dialog") return; // nothing is sent
    const known = sure.delete(form) || performance.now() < FRESH;
    if (known && !(performance.now() - sent.get(form) < SAME_PRESS)) {
      sent.set(form, performance.now());
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation(); // nobody else takes it for sent
    if (known || asking.has(form)) return;
    asking.add(form);
    send(form, event.submitter);
  });
}
