// The handset: sends what is typed, and shows what comes to the phone that was chosen.
import { alarm, call, Conversation, writing } from "./conversation.js";

const byId = (id) => document.getElementById(id);
const list = byId("bubbles"), box = byId("text"), from = byId("from"), trouble = byId("trouble");
const words = { ...list.dataset, ...trouble.dataset };
let sender = from.value;

const conversation = new Conversation(list, {
  address: (number) => `/handset/conversations/${encodeURIComponent(number)}`,
  words,
  heard: (_, count) => { byId("empty").hidden = count > 0; },
  trouble: alarm(trouble, words.unreachable),
});

function say(problem) {
  trouble.textContent = problem ?? "";
  trouble.hidden = !problem;
  return !problem;
}

function pick(number) {
  from.value = sender = number;
  byId("me").textContent = number;
  byId("empty").hidden = false;
  conversation.open(number);
}

writing(byId("write"), box, async (text) => say(await call("POST", "/handset/texts", { from: sender, text }, words)));
// A browser offers only the listed numbers that match what the field holds, so it is emptied while one is chosen.
from.addEventListener("focus", () => {
  from.placeholder = sender;
  from.value = "";
});
from.addEventListener("blur", () => { from.value ||= sender; });
from.addEventListener("change", () => { if (from.value.trim()) pick(from.value.trim()); });
for (const button of document.querySelectorAll(".samples button")) {
  button.addEventListener("click", () => {
    if (sender !== button.dataset.from) pick(button.dataset.from);
    box.value = button.dataset.text;
    box.focus();
  });
}
byId("faults").addEventListener("change", async (event) => {
  const { name, value } = event.target;
  say(await call("PUT", "/handset/faults", { [name]: Number(value) }, words));
});
pick(from.value.trim());
