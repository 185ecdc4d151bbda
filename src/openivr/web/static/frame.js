// Behaviour of every page: the key for the search, closing menus, focus, and lost or expired sessions.
// Pages work without it.

const TOKEN = "x-csrf-token";
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
    for (const open of document.querySelectorAll("details:is(.account, .more)[open]")) {
      open.open = false;
      open.querySelector("summary").focus();
    }
    if (found?.childElementCount) {
      found.replaceChildren();
      search.focus();
    }
  }
});

// Arrow keys move between the search field and its results.
search?.closest("form").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const stops = [search, ...found.querySelectorAll("a")];
  const at = stops.indexOf(document.activeElement);
  if (at < 0 || stops.length < 2) return;
  event.preventDefault();
  stops[(at + (event.key === "ArrowDown" ? 1 : stops.length - 1)) % stops.length].focus();
});

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details:is(.account, .more)[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
  if (found && !found.closest("form").contains(event.target)) found.replaceChildren();
});

// An element with `data-focus` gets the focus after a swap. The mark is removed, because a later answer may change
// another part while the user types here.
function takeMarked(root) {
  const marked = [...(root.querySelectorAll?.("[data-focus]") ?? [])];
  for (const element of marked) element.removeAttribute("data-focus");
  return marked[0];
}

takeMarked(document);
document.addEventListener("htmx:afterSettle", (event) => takeMarked(event.detail.elt)?.focus());

// Show that a request by htmx has failed.
const lost = document.getElementById("lost");
const over = document.getElementById("over");
document.addEventListener("htmx:sendError", () => { lost.hidden = false; });
document.addEventListener("htmx:responseError", (event) => {
  const { xhr, elt } = event.detail;
  if (xhr.status === 401) showSignedOut();
  else if (!renewToken(xhr.status, xhr.getResponseHeader(TOKEN))) lost.hidden = false;
  else if (elt.matches("button")) elt.click();
  else htmx.trigger(elt, "change");
});
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (event.detail.successful) lost.hidden = over.hidden = true;
});

// The session has ended. The page stays as it is, with all input.
export function showSignedOut() {
  over.hidden = false;
  over.scrollIntoView({ block: "nearest" });
}

// Take the CSRF token of a new session from a refusal. Returns true if it is another one, so that the request can be
// repeated.
export function renewToken(status, token) {
  const forms = [...document.querySelectorAll("input[name=csrf]")];
  if (status !== 403 || !token || document.body.getAttribute("hx-headers").includes(token)) return false;
  for (const input of forms) input.value = token;
  document.body.setAttribute("hx-headers", JSON.stringify({ [TOKEN]: token }));
  over.hidden = true;
  return true;
}
