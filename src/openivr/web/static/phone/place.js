// Lights up a place in the picture of the page, if there is one. Who was dialled by number has no box of his own
// there; the box for all of that kind stands for him.

export function point(node) {
  let shown = node || "";
  if (node && !document.querySelector(`[data-box="${CSS.escape(node)}"]`)) {
    const kind = node.split("-")[0];
    const boxes = [...document.querySelectorAll(`[data-box^="${CSS.escape(kind)}-"]`)].map((box) => box.dataset.box);
    shown = boxes.find((box) => !/-\d+$/.test(box)) ?? node;
  }
  document.dispatchEvent(new CustomEvent("openivr:place", { detail: { node: shown } }));
}
