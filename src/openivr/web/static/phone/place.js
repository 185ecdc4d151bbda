// Highlights a place in the picture of the page. A party that was dialled by number has no node of its own; the
// node of its kind stands for it.

export function point(node) {
  const boxes = [...document.querySelectorAll(".boxes [data-node]")].map((box) => box.dataset.node);
  const kind = node.split("-")[0];
  const others = boxes.find((box) => box.startsWith(`${kind}-`) && !/-\d+$/.test(box));
  const shown = boxes.includes(node) ? node : (others ?? node);
  document.dispatchEvent(new CustomEvent("openivr:place", { detail: { node: shown } }));
}
