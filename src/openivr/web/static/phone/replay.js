// Steps through a replayed call, at its own pace or line by line.

import { point } from "./place.js";

const LONGEST = 1500; // ms between two lines

for (const root of document.querySelectorAll("[data-replay]")) {
  const lines = [...root.querySelectorAll("li")];
  const times = lines.map((line) => 1000 * Number(line.querySelector("time").textContent));
  const play = root.querySelector("[data-play]");
  let at = -1;
  let timer = 0;

  const go = (place) => {
    if (place < 0 || place >= lines.length) return;
    lines[at]?.removeAttribute("aria-current");
    at = place;
    const line = lines[at];
    line.setAttribute("aria-current", "step");
    const list = line.closest(".transcript");
    list.scrollTop += line.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 2;
    root.querySelector("[data-now]").textContent = line.querySelector("p").textContent;
    point(line.dataset.node);
  };

  const stop = () => {
    clearTimeout(timer);
    play.setAttribute("aria-pressed", "false");
  };

  const run = () => {
    go(at + 1);
    if (at + 1 >= lines.length) stop();
    else timer = setTimeout(run, Math.min(LONGEST, Math.max(250, times[at + 1] - times[at])));
  };

  play.addEventListener("click", () => {
    const isRunning = play.getAttribute("aria-pressed") === "true";
    stop();
    if (isRunning) return;
    if (at + 1 >= lines.length) go(0), (at = -1);
    play.setAttribute("aria-pressed", "true");
    run();
  });
  root.querySelector("[data-back]").addEventListener("click", () => (stop(), go(at - 1)));
  root.querySelector("[data-on]").addEventListener("click", () => (stop(), go(at + 1)));
  root.querySelector("[data-acts]").hidden = false;
}
