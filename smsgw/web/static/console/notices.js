"use strict";
// The console's notices: the count of a filter while it is chosen, how far a file is read, how far a notice is sent.

const EVERY = 1000; // milliseconds between two looks at what goes on

function counting(form) {
  const shown = form.querySelector("[data-count]");
  let asked = 0;
  async function count() {
    const mine = ++asked;
    const chosen = new URLSearchParams(new FormData(form));
    for (const name of ["csrf_token", "text", "name", "file"]) chosen.delete(name);
    const answer = await fetch(`${shown.dataset.count}?${chosen}`);
    if (mine === asked && answer.ok) shown.textContent = await answer.text();
  }
  form.querySelector("[data-filter]").addEventListener("change", count);
  form.addEventListener("change", (event) => { if (event.target.name === "by") choose(form, count); });
  choose(form, count);
}

function choose(form, count) {
  const by = form.querySelector("[name=by]:checked").value;
  for (const part of form.querySelectorAll("[data-by]")) part.hidden = part.dataset.by !== by;
  if (by === "filter") count();
}

function reading(form) {
  const shown = form.querySelector("[data-reading]");
  form.addEventListener("submit", () => {
    form.querySelector("[type=submit]").disabled = true;
    shown.hidden = false;
    setInterval(async () => {
      const answer = await fetch(shown.dataset.reading);
      if (answer.ok) shown.textContent = (await answer.text()) || shown.textContent;
    }, EVERY);
  });
}

function following(part) {
  const timer = setInterval(async () => {
    const answer = await fetch(part.dataset.progress);
    if (!answer.ok) return;
    if (answer.headers.get("X-State") !== part.dataset.state) {
      location.reload();
      clearInterval(timer);
      return;
    }
    part.innerHTML = await answer.text();
  }, EVERY);
}

const form = document.querySelector("[data-notice]");
if (form) {
  counting(form);
  reading(form);
}
const progress = document.querySelector("[data-progress]");
if (progress) following(progress);
