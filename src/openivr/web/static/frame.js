// What every page has: the key that goes to the search, menus that close, and where focus goes.
// Pages work without any of it.

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

// Where the work goes on after a page changed in place is marked with `data-focus`: once, for the next answer
// may change something else while somebody types here.
function settle(root) {
  const marked = [...(root.querySelectorAll?.("[data-focus]") ?? [])];
  for (const element of marked) element.removeAttribute("data-focus");
  return marked[0];
}

settle(document);
document.addEventListener("htmx:afterSettle", (event) => settle(event.detail.elt)?.focus());

// A change in place that fails would otherwise go by unseen.
const lost = document.getElementById("lost");
const over = document.getElementById("over");
document.addEventListener("htmx:sendError", () => { lost.hidden = false; });
document.addEventListener("htmx:responseError", (event) => {
  const { xhr, elt } = event.detail;
  if (xhr.status === 401) tellOver();
  else if (!renew(xhr.status, xhr.getResponseHeader(TOKEN))) lost.hidden = false;
  else if (elt.matches("button")) elt.click();
  else htmx.trigger(elt, "change");
});
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (event.detail.successful) lost.hidden = over.hidden = true;
});

// The session has ended: the page stays as it is, with all that was typed into it.
export function tellOver() {
  over.hidden = false;
  over.scrollIntoView({ block: "nearest" });
}

// After signing in elsewhere: take the token that a refusal tells; whether it is a new one, so that a second
// attempt makes sense.
export function renew(status, token) {
  const forms = [...document.querySelectorAll("input[name=csrf]")];
  if (status !== 403 || !token || document.body.getAttribute("hx-headers").includes(token)) return false;
  for (const input of forms) input.value = token;
  document.body.setAttribute("hx-headers", JSON.stringify({ [TOKEN]: token }));
  over.hidden = true;
  return true;
}
