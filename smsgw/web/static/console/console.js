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
