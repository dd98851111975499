"use strict";
// The console's notices: the count of a filter while it is chosen, how far a file is read, how far a notice is sent.

const EVERY = 1000; // milliseconds between two looks at what goes on

function counting(form) {
  const shown = form.querySelector("[data-count]");
  let turn = 0;
  async function count() {
    const mine = ++turn;
    const chosen = new URLSearchParams(new FormData(form));
    for (const name of ["csrf_token", "text", "name", "file"]) chosen.delete(name);
    const answer = await asked(`${shown.dataset.count}?${chosen}`);
    const said = answer?.ok ? await answer.text() : "";
    if (mine === turn) shown.textContent = said;
  }
  form.querySelector("[data-filter]").addEventListener("change", count);
  form.addEventListener("change", (event) => { if (event.target.name === "by") choose(form, count); });
  asFilledIn(() => choose(form, count));
}

// Now, and once more when the browser has put back what was filled in by who comes back to the form.
function asFilledIn(shows) {
  shows();
  addEventListener("pageshow", shows);
}

function choose(form, count) {
  const by = form.querySelector("[name=by]:checked").value;
  for (const part of form.querySelectorAll("[data-by]")) part.hidden = part.dataset.by !== by;
  // What is wrong with a filter that came back is said at its field, and need not be said here as well.
  if (by === "filter" && !form.querySelector("[data-filter] .invalid-feedback")) count();
}

// The browser's own words on a file input are in its language and not in the page's.
function dressed(file) {
  const input = file.querySelector("input"), name = file.querySelector("#file-name"), none = name.textContent;
  file.classList.add("dressed");
  for (const part of file.querySelectorAll("[hidden]")) part.hidden = false;
  const shows = () => { name.textContent = input.files[0]?.name ?? none; };
  input.addEventListener("change", shows);
  asFilledIn(shows);
}

function reading(form) {
  const part = form.querySelector("[data-reading]"), shown = part.querySelector("[role=status]");
  form.addEventListener("submit", () => {
    form.querySelector("[type=submit]").disabled = true;
    part.hidden = false;
    part.scrollIntoView({ block: "nearest" });
    setInterval(async () => {
      const answer = await asked(part.dataset.reading);
      if (answer?.ok) shown.textContent = (await answer.text()) || shown.textContent;
    }, EVERY);
  });
  // Who comes back by the browser's button finds the form as they left it, and may send it again.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

function following(part) {
  const timer = setInterval(async () => {
    const answer = await asked(part.dataset.progress);
    // A moment without the gateway is nothing; the next look is a second later.
    if (!answer?.ok && answer?.status !== 401) return;
    if (answer.headers.get("X-State") !== part.dataset.state) {
      // Not reloaded: of a page that answers a move that came too late, the browser would make that move again.
      location.replace(part.dataset.page);
      clearInterval(timer);
      return;
    }
    // Whoever has it read to them is in the midst of it, and would be thrown out for nothing.
    const now = document.createElement("div");
    now.innerHTML = await answer.text();
    if (now.innerHTML !== part.innerHTML) part.replaceChildren(...now.childNodes);
  }, EVERY);
}

const form = document.querySelector("[data-notice]");
if (form) {
  counting(form);
  reading(form);
  dressed(form.querySelector("[data-file]"));
}
const progress = document.querySelector("[data-progress]");
if (progress) following(progress);
