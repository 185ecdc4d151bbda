// Keeps the pages of calls up to date: asks every second for changes and patches the page. Recordings get a player
// with a waveform. Without script the page shows the state at its loading.

import { makePlayer } from "./player.js";

const SECOND = 1000;
const RETRY = 5; // seconds between two tries while the server doesn't respond

const watched = document.getElementById("watched");
const pause = document.querySelector("[data-pause]");
const lost = document.getElementById("lost");
const offset = Date.now() - Number(watched.dataset.now); // ms that the browser's clock is ahead of the server's

const clock = (seconds) => {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
};

// The duration of live calls.
const count = (root) => {
  for (const time of root.querySelectorAll("[data-since]")) {
    const text = clock(Math.max(0, Math.round((Date.now() - offset - Number(time.dataset.since)) / SECOND)));
    if (time.textContent !== text) time.textContent = text;
  }
};

const wire = (root) => {
  for (const player of root.querySelectorAll(".player:not([data-made])")) {
    makePlayer(player, () => fetch(player.dataset.peaks).then((answer) => answer.json()));
  }
};

// Patch rows by their ids, so that a row keeps its focus and its unchanged cells.
const patchRows = (body, fresh) => {
  const known = new Map([...body.rows].map((row) => [row.id, row]));
  [...fresh.rows].forEach((row, at) => {
    const old = known.get(row.id);
    known.delete(row.id);
    if (old) {
      old.className = row.className;
      [...row.cells].forEach((cell, place) => {
        if (!old.cells[place].isEqualNode(cell)) old.cells[place].replaceWith(cell);
      });
    } else {
      row.classList.add("arrives");
    }
    const shown = old ?? row;
    if (body.rows[at] !== shown) body.insertBefore(shown, body.rows[at] ?? null);
  });
  for (const row of known.values()) row.remove();
};

const patch = (old, fresh) => {
  const [body, rows] = [old, fresh].map((part) => part.querySelector("[data-rows]"));
  if (old.isEqualNode(fresh)) return;
  if (body && rows) {
    patchRows(body, rows);
    for (const pager of old.querySelectorAll(".pager, .hint")) pager.remove();
    old.append(...fresh.querySelectorAll(".pager, .hint"));
  } else {
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const opened = [...old.querySelectorAll("details")].map((details) => details.open);
    old.replaceChildren(...fresh.childNodes);
    old.querySelectorAll("details").forEach((details, at) => { details.open = opened[at] ?? false; });
    wire(old);
    if (focused) old.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
  }
};

// Patch the parts of this page from the answer, which is a whole page.
const take = (text) => {
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.getElementById("watched");
  const isOther = document.querySelectorAll("[data-part]").length !== fresh.querySelectorAll("[data-part]").length;
  if (isOther) {
    location.reload(); // the first call has come: the page has other parts now
    return;
  }
  count(fresh);
  for (const part of watched.querySelectorAll("[data-part]")) patch(part, page.getElementById(part.id));
  for (const old of [...document.querySelectorAll("[data-text]"), document.getElementById("traffic")]) {
    const now = page.getElementById(old.id).textContent;
    if (old.textContent !== now) old.textContent = now;
  }
  watched.dataset.seen = fresh.dataset.seen;
  if (fresh.dataset.watch) watched.dataset.watch = fresh.dataset.watch;
  else delete watched.dataset.watch;
};

const look = async () => {
  const { watch, seen } = watched.dataset;
  const answer = await fetch(`${watch}&seen=${seen}`, { headers: { "HX-Request": "true" } });
  if (answer.status === 401) location.assign("/sign-in"); // signed out; there is no input to lose
  else if (answer.status === 200) take(await answer.text());
  else if (answer.status !== 204) throw new Error(answer.statusText);
};

let isPaused = false;
let rest = 0; // seconds until the next try
setInterval(async () => {
  if (isPaused || document.hidden) return;
  count(watched);
  if (!watched.dataset.watch || rest-- > 0) return;
  rest = RETRY * 2; // no second request while this one is running
  try {
    await look();
    [rest, lost.hidden] = [0, true];
  } catch {
    [rest, lost.hidden] = [RETRY, false];
  }
}, SECOND);

// A page that changes by itself needs a pause button (WCAG 2.2.2).
if (pause) {
  const words = pause.querySelector("span");
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    [words.textContent, pause.dataset.words] = [pause.dataset.words, words.textContent];
    pause.querySelector("use").href.baseVal = pause.querySelector("use").href.baseVal.replace(/#.*/, isPaused ? "#play" : "#pause");
  });
}

wire(document);
