// Asks before a page with unsaved changes is left: by a link, by Back, or with its tab.

let leaving = null; // the form that is being sent, or "discard"

const differs = (field) => {
  if (field.type === "hidden" || field.disabled || field.closest("fieldset[disabled]")) return false;
  if (field instanceof HTMLSelectElement) {
    return field.value !== (field.querySelector("option[selected]") ?? field.options[0])?.value;
  }
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  return "defaultValue" in field && field.value !== field.defaultValue;
};

// A form that the server has refused is marked; so is one whose list was changed in place.
const isUnsaved = (form) => {
  if ("unsaved" in form.dataset || form.querySelector(".unsaved")) return true;
  if (form.method !== "post" || form.matches(".door form, [data-saves-nothing]")) return false;
  return [...form.elements].some(differs);
};
const isRecorded = () => document.querySelector("[data-take]:not([hidden])") !== null;

window.addEventListener("beforeunload", (event) => {
  if (leaving === "discard") return;
  if (isRecorded() || [...document.forms].some((form) => form !== leaving && isUnsaved(form))) event.preventDefault();
});

document.addEventListener("submit", (event) => { leaving = event.defaultPrevented ? leaving : event.target; });
document.addEventListener("click", (event) => {
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (isPlain && event.target.closest?.("a[data-discards]")) leaving = "discard";
});
document.addEventListener("input", () => { leaving = null; });
window.addEventListener("pageshow", () => { leaving = null; });

// Not after the request: by then the answer has taken the place of the button.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  if (requestConfig.verb === "post" && elt.matches("form.object button")) elt.form.dataset.unsaved = "";
});
