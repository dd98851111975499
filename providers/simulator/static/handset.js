// The handset: sends what is typed, and shows what the carrier's long poll brings.
const byId = (id) => document.getElementById(id);
const list = byId("bubbles"), box = byId("text"), from = byId("from"), trouble = byId("trouble");
const locale = list.dataset.language === "vi" ? "vi-VN" : "en-GB";
let shown = new Map(), seen = 0, round = 0, sender = from.value;

function line(bubble) {
  const item = shown.get(bubble.id) ?? list.appendChild(document.createElement("li"));
  shown.set(bubble.id, item);
  item.className = `${bubble.direction} ${bubble.state}`;
  const time = new Date(bubble.at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  const about = [time, list.dataset[bubble.state]];
  if (bubble.segments > 1) about.push(list.dataset.segments.replace("{count}", bubble.segments));
  const note = document.createElement("small");
  note.textContent = about.join(" · ");
  item.replaceChildren(bubble.text, note);
}

function show(bubbles) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  for (const bubble of bubbles) {
    seen = Math.max(seen, bubble.seq);
    line(bubble);
  }
  byId("empty").hidden = shown.size > 0;
  if (bubbles.length && atEnd) list.scrollTop = list.scrollHeight;
}

function say(problem) {
  trouble.textContent = problem ?? "";
  trouble.hidden = !problem;
}

async function follow(number, mine) {
  while (mine === round) {
    try {
      const wait = seen ? 20 : 0;
      const answer = await fetch(`/handset/conversations/${encodeURIComponent(number)}?after=${seen}&wait=${wait}`);
      const { bubbles } = await answer.json();
      if (mine !== round) return;
      show(bubbles);
      if (trouble.textContent === trouble.dataset.unreachable) say();
      if (!bubbles.length && !wait) await new Promise((done) => setTimeout(done, 400));
    } catch {
      say(trouble.dataset.unreachable);
      await new Promise((done) => setTimeout(done, 1500));
    }
  }
}

function pick(number) {
  from.value = sender = number;
  byId("me").textContent = number;
  list.replaceChildren();
  shown = new Map();
  seen = 0;
  byId("empty").hidden = false;
  follow(number, ++round);
}

async function send(text) {
  try {
    const answer = await fetch("/handset/texts", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ from: sender, text }),
    });
    const document = await answer.json();
    say(answer.ok ? undefined : document.detail);
    return answer.ok;
  } catch {
    say(trouble.dataset.unreachable);
    return false;
  }
}

byId("write").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = box.value;
  if (!text.trim()) return box.focus();
  if (await send(text)) box.value = "";
  box.focus();
});
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    byId("write").requestSubmit();
  }
});
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
  const answer = await fetch("/handset/faults", {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ [event.target.name]: Number(event.target.value) }),
  });
  say(answer.ok ? undefined : (await answer.json()).errors?.map((fault) => fault.problem).join("; "));
});
pick(from.value.trim());
