// Lights up a place in the picture of the page, if there is one. Who was dialled by number has no box of his own
// there; the box for all of that kind stands for him.

export function point(node) {
  const boxes = [...document.querySelectorAll(".boxes [data-node]")].map((box) => box.dataset.node);
  const kind = node.split("-")[0];
  const others = boxes.find((box) => box.startsWith(`${kind}-`) && !/-\d+$/.test(box));
  const shown = boxes.includes(node) ? node : (others ?? node);
  document.dispatchEvent(new CustomEvent("openivr:place", { detail: { node: shown } }));
}
