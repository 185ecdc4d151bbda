// Copying what is shown once. Everything else on these pages is buttons and links that work without script.

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
