// What every page has: the key that goes to the search, menus that close, and where focus goes.
// Pages work without any of it.

const search = document.getElementById("search");
const found = document.getElementById("found");

const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && search && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target)) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "Escape") {
    for (const open of document.querySelectorAll("details.account[open]")) {
      open.open = false;
      open.querySelector("summary").focus();
    }
    if (found?.childElementCount) {
      found.replaceChildren();
      search.focus();
    }
  }
});

// Down from the field into what was found, and back up.
search?.closest("form").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const stops = [search, ...found.querySelectorAll("a")];
  const at = stops.indexOf(document.activeElement);
  if (at < 0 || stops.length < 2) return;
  event.preventDefault();
  stops[(at + (event.key === "ArrowDown" ? 1 : stops.length - 1)) % stops.length].focus();
});

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.account[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
  if (found && !found.closest("form").contains(event.target)) found.replaceChildren();
});

// What a page asks for after it changed in place: `data-focus` marks where the work went on.
document.addEventListener("htmx:afterSettle", (event) => {
  event.detail.elt.querySelector?.("[data-focus]")?.focus();
});

for (const name of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    // The server's own page says what is wrong better than an unchanged one would.
    const form = event.detail.elt.closest?.("form");
    if (form && form.method === "post") document.getElementById("told")?.replaceChildren();
  });
}
