// Buttons that copy a secret. Everything else on these pages works without script.

const wire = (root) => {
  for (const button of root.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.dataset.done = "";
    });
  }
};

wire(document);
document.addEventListener("htmx:load", (event) => wire(event.detail.elt));
