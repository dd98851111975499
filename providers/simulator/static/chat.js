// The chat on Zalo, and beside it the SMS that come to a phone, where the code for linking the two arrives.
import { alarm, call, Conversation, writing } from "./conversation.js";

const byId = (id) => document.getElementById(id);
const list = byId("bubbles"), box = byId("text"), trouble = byId("trouble"), follow = byId("follow");
const words = { ...list.dataset, ...trouble.dataset };
const person = () => `/zalo/people/${encodeURIComponent(byId("person").value.trim())}`;

const chat = new Conversation(list, {
  address: () => `${person()}/conversation`,
  words,
  heard: ({ follows }, count) => {
    byId("empty").hidden = count > 0;
    follow.disabled = false;
    follow.setAttribute("aria-pressed", follows);
    follow.textContent = follows ? follow.dataset.unfollow : follow.dataset.follow;
  },
  trouble: alarm(trouble, words.unreachable),
});
const sms = new Conversation(byId("sms"), {
  address: (phone) => `/handset/conversations/${encodeURIComponent(phone)}`,
  words,
  heard: () => { byId("no-sms").hidden = byId("sms").querySelector(".in") !== null; },
  trouble: () => {},
});

function say(problem) {
  trouble.textContent = problem ?? "";
  trouble.hidden = !problem;
  return !problem;
}

writing(byId("write"), box, async (text) => say(await call("POST", `${person()}/texts`, { text }, words)));
follow.addEventListener("click", async () => {
  const follows = follow.getAttribute("aria-pressed") !== "true";
  if (say(await call("PUT", `${person()}/follows`, follows, words))) chat.open();
});
byId("person").addEventListener("change", () => {
  follow.disabled = true;
  chat.open();
});
byId("phone").addEventListener("change", (event) => sms.open(event.target.value.trim()));
byId("error").addEventListener("change", async (event) => {
  say(await call("PUT", "/zalo/error", Number(event.target.value), words));
});
for (const button of document.querySelectorAll(".samples button")) {
  button.addEventListener("click", () => {
    box.value = button.dataset.text;
    box.focus();
  });
}
chat.open();
sms.open(byId("phone").value.trim());
