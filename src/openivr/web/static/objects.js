// Buttons that copy a secret or a setting, and a user name that follows the number. Everything else on these pages works without script.

const wire = (root) => {
  for (const button of root.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      button.dataset.done = "";
    });
  }
};

wire(document);

// A new extension has a user name like its number, until another one is typed.
for (const form of document.querySelectorAll("[data-copies]")) {
  const [source, target] = form.dataset.copies.split(" ").map((name) => form.elements[name]);
  let before = source.value;
  source.addEventListener("input", () => {
    if (target.value === before) target.value = source.value;
    before = source.value;
  });
}

// The answer to a form is shown. Loading it again is to show the page, and not to send the form again.
const address = document.querySelector("[data-address]")?.dataset.address;
if (address) history.replaceState(null, "", address);
document.addEventListener("htmx:load", (event) => wire(event.detail.elt));
