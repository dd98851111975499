"use strict";
// Ticks all boxes of a name, or none if they all were.

for (const button of document.querySelectorAll("[data-all]")) {
  const boxes = [...button.form.querySelectorAll(`[name=${button.dataset.all}]`)];
  button.hidden = false;
  button.addEventListener("click", () => {
    const all = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !all;
  });
}

// Sends a form once, however often its button is pressed: what answers the second time would hide the first answer.
for (const form of document.querySelectorAll("[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
}
