// The page of one menu: plays prompts, and draws the call flow when it comes into view.

let sound = null;
let pressed = null;

function stop() {
  sound?.pause();
  if (pressed) show(pressed, false);
  sound = pressed = null;
}

function show(button, isPlaying) {
  const use = button.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, isPlaying ? "#stop" : "#play"));
  button.setAttribute("aria-pressed", String(isPlaying));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-sound]");
  if (!button) return;
  const isSame = button === pressed;
  stop();
  if (isSame) return;
  const mine = new Audio(button.dataset.sound);
  sound = mine;
  pressed = button;
  show(button, true);
  for (const name of ["ended", "error"]) mine.addEventListener(name, () => sound === mine && stop());
  mine.play().catch(() => sound === mine && stop());
});

// Escape closes the editor that has the focus. What was chosen in it stays a part of the draft.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  const done = event.target.closest?.("#menu .editor")?.querySelector(".ends button[name=go]");
  if (!done) return;
  event.preventDefault();
  done.click();
});

let flow = null;
const seen = new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) load();
}, { rootMargin: "200px" });

async function load() {
  seen.disconnect();
  try {
    flow ??= await import(document.getElementById("flow").dataset.script);
  } catch {
    document.getElementById("flow").dataset.drawn = ""; // the list is shown without the picture
    return;
  }
  watch();
}

function watch() {
  const picture = document.getElementById("flow");
  if (!picture) return;
  if (!flow) seen.observe(picture);
  else if (picture.querySelector(".flow-canvas").hidden) flow.draw(picture);
}

watch();
// Follow a simulated call in the picture, even if it has not been in view yet.
document.addEventListener("openivr:place", async (event) => {
  if (flow) return;
  await load();
  flow?.light(event.detail.node);
});
document.addEventListener("htmx:afterSettle", watch);
document.addEventListener("htmx:oobAfterSwap", watch);
