// The simulated phone: `#phone` on a page of its own or in the drawer of a menu's page.
//
// `openivr:place` events on the document highlight the caller's place in the picture (flow.js).

import { renewToken, showSignedOut } from "../frame.js";
import { Call } from "./call.js";
import { Sound } from "./sound.js";
import { point } from "./place.js";

const KEYS = "0123456789*#";
const STEADY = matchMedia("(prefers-reduced-motion: reduce)");
const NARROW = matchMedia("(max-width: 800px)");

// The form of the menu's page if it has unsaved changes, so that they can be tried before saving.
const readDraft = () => {
  const form = document.getElementById("menu");
  if (!form || !document.querySelector("#bar.unsaved")) return "";
  const data = new FormData(form);
  data.delete("csrf");
  return new URLSearchParams(data).toString();
};

class Phone {
  constructor(root) {
    this.root = root;
    this.words = JSON.parse(root.dataset.words);
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.sound = new Sound(this.part("audio"));
    this.call = null;
    this.answer = null;
    this.typed = "";
    this.isFresh = false;
    this.bars = [...this.part("level").children];
    this.part("live").hidden = false;
    this.part("dial").addEventListener("click", () => (this.isLive ? this.hangUp() : this.dial()));
    this.part("sound").addEventListener("change", (event) => (this.sound.muted = !event.target.checked));
    this.part("pretend").addEventListener("submit", (event) => event.preventDefault());
    this.part("pretend").addEventListener("change", () => this.pretend());
    this.part("choices").addEventListener("click", (event) => this.choose(event.target.dataset.outcome));
    for (const key of root.querySelectorAll("[data-key]")) {
      key.addEventListener("click", () => this.press(key.dataset.key));
    }
  }

  get isLive() {
    return Boolean(this.call && !this.call.ended);
  }

  // The chosen responses as the world of a scenario.
  get world() {
    const world = {};
    for (const select of this.root.querySelectorAll("[data-party]")) {
      if (select.value) world[select.dataset.party] = select.value;
    }
    const other = this.part("other");
    const outcome = this.part("other-outcome");
    if (other.value.trim() && outcome.value) world[other.value.trim()] = outcome.value;
    const mailbox = this.root.querySelector("[name=mailbox]")?.value.trim();
    if (mailbox) {
      const pin = this.root.querySelector("[name=pin]").value.trim();
      world.mailboxes = { [mailbox]: { pin, messages: ["message-1", "message-2"] } };
    }
    return world;
  }

  // The caller's number, over a trunk the number that is called, and the moment.
  get from() {
    const field = (name) => this.root.querySelector(`[name=${name}]`)?.value.trim() ?? "";
    const trunk = field("trunk");
    return { caller: field("from"), trunk, called: trunk && field("called"), at: field("at") };
  }

  async dial() {
    this.typed = "";
    this.part("digits").textContent = "";
    this.part("transcript").replaceChildren();
    this.part("empty").hidden = true;
    this.part("problem").hidden = true;
    this.part("keep").hidden = true;
    this.show("calling");
    this.sound.open().catch(() => {}); // a call works without audio too
    this.sound.muted = !this.part("sound").checked;
    this.call = new Call((sent) => this.ask(sent), this, this.from, this.world, readDraft());
    this.part("draft").hidden = !this.call.draft;
    this.call.proceed();
    this.tick();
    const picture = document.getElementById("flow");
    if (picture && !drawer?.matches(":modal")) {
      picture.scrollIntoView({ block: "nearest", behavior: STEADY.matches ? "auto" : "smooth" });
    }
  }

  async ask(sent) {
    const answer = await fetch(this.root.dataset.address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": this.root.querySelector("[name=csrf]").value },
      body: JSON.stringify(sent),
    });
    if (answer.redirected) { // signed out: the call continues after signing in again
      showSignedOut();
      throw new Error("signed out");
    }
    if (renewToken(answer.status, answer.headers.get("x-csrf-token"))) return this.ask(sent);
    if (answer.ok) return answer.json();
    const text = await answer.text();
    let problem = "";
    try {
      problem = JSON.parse(text).problem;
    } catch {
      if (answer.status < 500) problem = `${answer.status}`;
    }
    throw Object.assign(new Error(answer.statusText), { problem });
  }

  press(key) {
    if (!this.isLive) return;
    const button = this.root.querySelector(`[data-key="${key}"]`);
    button.classList.add("pressed");
    setTimeout(() => button.classList.remove("pressed"), 150);
    this.sound.press(key);
    if (this.isFresh) this.typed = "";
    this.isFresh = false;
    this.typed = (this.typed + (this.answer?.private ? "•" : key)).slice(-16);
    this.part("digits").textContent = this.typed;
    this.call.add({ event: "Digit", key });
  }

  hangUp() {
    if (this.isLive) this.call.add({ event: "HungUp" });
  }

  // The form has changed: it applies from now on.
  pretend() {
    if (!this.isLive) return;
    this.call.world = this.world;
    this.call.proceed();
  }

  // Choose the response of the phone that is ringing.
  choose(outcome) {
    const dial = this.answer?.dial;
    if (!outcome || !dial || !this.isLive) return;
    const value = outcome === "answers" ? "" : outcome;
    const select = this.root.querySelector(`[data-party="${CSS.escape(dial.number)}"]`);
    if (select) {
      select.value = value;
    } else {
      this.part("other").value = dial.number;
      this.part("other-outcome").value = value;
    }
    this.pretend();
  }

  // The view of a call: see call.js.

  update(answer) {
    this.answer = answer;
    this.complain(answer.warning, "warning");
    for (const line of answer.lines) this.write(line);
    this.show(answer.state, answer.dial?.name ?? "");
    this.label(answer.keys);
    const choices = this.part("choices");
    const held = choices.contains(document.activeElement);
    choices.hidden = !answer.dial;
    if (choices.hidden && held) this.part("dial").focus();
    if (answer.dial) this.sound.startRinging();
    else this.sound.stopRinging();
    point(answer.ended ? "" : (this.root.querySelector("[data-transcript] li:last-child")?.dataset.node ?? ""));
    if (answer.ended) this.offer();
  }

  play(sounds, done) {
    this.sound.play(sounds, done);
  }

  quiet() {
    this.sound.stop();
  }

  reach(isThere) {
    if (isThere && this.part("problem").dataset.kind !== "lost") return;
    this.complain(isThere ? "" : this.words.lost, "lost");
  }

  fail(problem) {
    this.show("ended");
    this.complain(this.words.stopped.replace("{problem}", problem), "stopped");
  }

  complain(text, kind) {
    const place = this.part("problem");
    place.textContent = text;
    place.dataset.kind = kind;
    place.hidden = !text;
  }

  write(line) {
    const item = this.part("line").content.cloneNode(true).firstElementChild;
    item.dataset.what = line.what;
    item.dataset.node = line.node;
    item.querySelector("time").textContent = (line.at / 1000).toFixed(1);
    item.querySelector(".sign").dataset.kind = line.kind;
    item.querySelector("use").setAttribute("href", `${this.root.dataset.icons}#${line.icon}`);
    item.querySelector("b").textContent = line.verb;
    item.querySelector(".what").textContent = line.text;
    item.querySelector(".why").textContent = line.why;
    this.part("latest").textContent = [line.verb, line.text, line.why].filter(Boolean).join(" ");
    const list = this.part("transcript");
    list.append(item);
    list.parentElement.scrollTop = list.scrollHeight;
    if (line.what === "records") this.sound.beep();
    if (line.what === "hears" || line.what === "rings") this.isFresh = true; // the next key begins a new input
  }

  show(state, name = "") {
    const live = this.isLive || state === "calling";
    this.part("live").querySelector(".display").dataset.state = state;
    this.part("caption").textContent =
      state === "dialling" ? this.words.ringing.replace("{name}", name) : (this.words[state] ?? "");
    const dial = this.part("dial");
    const going = live && state !== "ended";
    dial.classList.toggle("going", going);
    dial.querySelector("use").setAttribute("href", `${this.root.dataset.icons}#${going ? "end_call" : "calls"}`);
    dial.querySelector("span").textContent = going ? this.words.hang_up : this.call ? this.words.again : this.words.call;
  }

  // Label the keys with their destinations in the caller's menu.
  label(keys) {
    for (const button of this.root.querySelectorAll("[data-key]")) {
      const to = keys[button.dataset.key];
      button.dataset.kind = to?.kind ?? "";
      button.querySelector("[data-leads]").textContent = to?.name ?? "";
    }
  }

  // The call is over and can be saved as a test.
  offer() {
    const keep = this.part("keep");
    keep.replaceChildren(this.part("form").content.cloneNode(true));
    keep.querySelector("[data-call]").value = JSON.stringify(this.call.sent);
    keep.querySelector("[name=name]").value = this.propose();
    keep.hidden = false;
    window.htmx?.process(keep);
  }

  // A name for a test: the keys and the outcome.
  propose() {
    const lines = [...this.root.querySelectorAll("[data-transcript] li")];
    const text = (item) => item.querySelector(".what").textContent;
    const pressed = lines.filter((item) => item.dataset.what === "presses").map(text).join("");
    const tells = (verbs) => lines.findLast((item) => verbs.includes(item.dataset.what));
    const last = tells(["reaches", "leaves", "fails", "refused"]) ?? tells(["ends"]);
    const outcome = last ? `${last.querySelector("b").textContent} ${text(last)}` : "";
    return [pressed, outcome].filter(Boolean).join(": ").slice(0, 100);
  }

  // Update the clock and the level meter during a call.
  tick() {
    const steady = STEADY.matches;
    const seconds = Math.floor(this.call.now / 1000);
    this.part("clock").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const level = this.isLive ? this.sound.level : 0;
    this.part("level").dataset.level = level.toFixed(2);
    const lit = Math.round(level * this.bars.length);
    this.bars.forEach((bar, place) => bar.classList.toggle("on", place < lit));
    if (!this.isLive) return;
    if (steady) setTimeout(() => this.tick(), 250);
    else requestAnimationFrame(() => this.tick());
  }

  close() {
    if (this.isLive) this.call.stop();
    point("");
  }
}

let phone = null;

const begin = (root) => {
  if (!root || phone?.root === root) return;
  phone?.close();
  phone = new Phone(root);
};

// The keyboard presses the phone's keys, unless an input has the focus.
document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (!phone?.root.isConnected || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (target.closest?.("input:not([type=checkbox]), select, textarea")) return;
  if (KEYS.includes(event.key)) {
    event.preventDefault();
    phone.press(event.key);
  } else if (event.key === "Enter" && !target.closest?.("button, a, summary, input")) {
    event.preventDefault();
    phone.part("dial").click();
  }
});

// Add a saved test to the list of tests on the page.
document.addEventListener("htmx:afterSwap", (event) => {
  const link = event.target.id === "keep" && event.target.querySelector("[data-kept]");
  if (link && document.getElementById("cases")) {
    window.htmx.ajax("GET", link.href, { target: "#cases", select: "#cases", swap: "outerHTML" });
  }
});

const drawer = document.getElementById("phone-drawer");

const closeDrawer = () => {
  phone?.close();
  phone = null;
  drawer.close();
  drawer.replaceChildren();
  document.querySelector("[data-opens-phone]")?.focus();
};

if (drawer) {
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== drawer) return;
    const root = drawer.querySelector("#phone");
    root.querySelector("[data-close]").hidden = false;
    root.querySelector("[data-close]").addEventListener("click", closeDrawer);
    if (!drawer.open) NARROW.matches ? drawer.showModal() : drawer.show();
    begin(root);
    root.querySelector("[data-focus]").focus();
  });
  drawer.addEventListener("cancel", (event) => {
    event.preventDefault();
    closeDrawer();
  });
  drawer.addEventListener("keydown", (event) => event.key === "Escape" && closeDrawer());
}

begin(document.getElementById("phone"));
