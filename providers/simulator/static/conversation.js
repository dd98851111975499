// A conversation in a list, kept up to date by long polls.
export class Conversation {
  // `address`: from a person to the URL of their bubbles; `heard`: called with each answer; `trouble`: says what is wrong.
  constructor(list, { address, words, heard = () => {}, trouble }) {
    Object.assign(this, { list, address, words, heard, trouble });
    this.locale = words.language === "vi" ? "vi-VN" : "en-GB";
    this.round = 0;
  }

  // Show another person's bubbles from now on.
  open(person) {
    this.list.replaceChildren();
    this.shown = new Map();
    this.seen = 0;
    this.follow(this.address(person), ++this.round);
  }

  async follow(address, mine) {
    while (mine === this.round) {
      try {
        const wait = this.seen ? 20 : 0;
        const answer = await fetch(`${address}?after=${this.seen}&wait=${wait}`);
        const document = await answer.json();
        if (mine !== this.round) return;
        this.show(document.bubbles);
        this.heard(document, this.shown.size);
        this.trouble();
        if (!document.bubbles.length && !wait) await new Promise((done) => setTimeout(done, 400));
      } catch {
        this.trouble(this.words.unreachable);
        await new Promise((done) => setTimeout(done, 1500));
      }
    }
  }

  show(bubbles) {
    const { list } = this;
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    for (const bubble of bubbles) {
      this.seen = Math.max(this.seen, bubble.seq);
      this.line(bubble);
    }
    if (bubbles.length && atEnd) list.scrollTop = list.scrollHeight;
  }

  line(bubble) {
    const item = this.shown.get(bubble.id) ?? this.list.appendChild(document.createElement("li"));
    this.shown.set(bubble.id, item);
    item.className = `${bubble.direction} ${bubble.state}`;
    const time = new Date(bubble.at).toLocaleTimeString(this.locale, { hour: "2-digit", minute: "2-digit" });
    const about = [time, this.words[bubble.state]];
    if (bubble.segments > 1) about.push(this.words.segments.replace("{count}", bubble.segments));
    const note = document.createElement("small");
    note.textContent = about.join(" · ");
    item.replaceChildren(bubble.text, note);
  }
}

// Says what is wrong in an element; without a word, only what it said of the connection is taken back.
export function alarm(element, unreachable) {
  return (problem) => {
    if (!problem && element.textContent !== unreachable) return;
    element.textContent = problem ?? "";
    element.hidden = !problem;
  };
}

// A JSON call; what is wrong, if anything, in the page's words: the server's are for programs.
export async function call(method, address, body, words) {
  try {
    const answer = await fetch(address, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.ok ? undefined : words.refused;
  } catch {
    return words.unreachable;
  }
}

// A form for writing, which cannot be sent before this listens: Enter sends, and what was taken leaves the box, unless something else is written there by then.
export function writing(form, box, send) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = box.value;
    if (!text.trim()) return box.focus();
    if (await send(text) && box.value === text) box.value = "";
    box.focus();
  });
  form.querySelector("button").disabled = false;
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}
