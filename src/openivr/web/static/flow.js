// Draws the call flow from the list on the page. dagre computes the layout.
//
// The node where a simulated call is can be highlighted: `light(node)` with the id of the list, or the event
// "openivr:place" on the document with {detail: {node}}. "" removes the highlight.

import { Graph, layout } from "./vendor/dagre.esm.js";

const SMALLEST = 0.7;
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 40, LOOP = 30, TAB = 36, MOST = 248, TEXT = 13, LOCK = 18;

let lit = "";
const measure = document.createElement("canvas").getContext("2d");

function make(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function fit(text, width) {
  measure.font = `500 ${TEXT}px system-ui, sans-serif`;
  if (measure.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && measure.measureText(text.slice(0, end) + "…").width > width) end -= 1;
  return text.slice(0, end) + "…";
}

function read(flow) {
  const boxes = [...flow.querySelectorAll("[data-node]")].map((item) => ({
    id: item.dataset.node,
    kind: item.dataset.kind,
    label: item.querySelector("div > a, div > span:last-child").textContent,
    address: item.querySelector("a")?.getAttribute("href"),
  }));
  const ways = [...flow.querySelectorAll("[data-to]")].map((item) => ({
    source: item.closest("[data-node]").dataset.node,
    target: item.dataset.to,
    label: item.dataset.label,
    isQuiet: "quiet" in item.dataset,
    asksPin: "pin" in item.dataset,
  }));
  return { boxes, ways };
}

function place({ boxes, ways }) {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 16, ranksep: 18, edgesep: 12, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  const loops = new Set(ways.filter((way) => way.source === way.target).map((way) => way.source));
  for (const box of boxes) {
    box.text = fit(box.label, MOST - TAB - 24);
    const width = Math.ceil(measure.measureText(box.text).width) + TAB + 24;
    graph.setNode(box.id, { width, height: HEIGHT + (loops.has(box.id) ? 2 * LOOP : 0) });
  }
  for (const way of ways) {
    if (way.source === way.target) continue;
    way.text = fit(way.label, 120);
    const width = Math.ceil(measure.measureText(way.text).width) + 12 + (way.asksPin ? LOCK : 0);
    graph.setEdge(way.source, way.target, { width, height: 16, labelpos: "c" }, way.label);
  }
  layout(graph);
  return graph;
}

// The point where a line to the middle of a box crosses its edge. dagre's box is higher if it has a loop.
function meet(node, from) {
  const dx = from.x - node.x, dy = from.y - node.y;
  if (!dx && !dy) return { x: node.x, y: node.y };
  const scale = Math.min(node.width / 2 / Math.abs(dx || 1e-9), HEIGHT / 2 / Math.abs(dy || 1e-9));
  return { x: node.x + dx * scale, y: node.y + dy * scale };
}

function curve(points) {
  // Through the middles of the segments, so that bends are round and the ends stay in place.
  let path = `M${points[0].x},${points[0].y}`;
  for (let i = 1; i < points.length - 1; i += 1) {
    const next = points[i + 1];
    const isLast = i === points.length - 2;
    const x = isLast ? next.x : (points[i].x + next.x) / 2;
    const y = isLast ? next.y : (points[i].y + next.y) / 2;
    path += `Q${points[i].x},${points[i].y} ${x},${y}`;
  }
  return points.length === 2 ? `${path}L${points[1].x},${points[1].y}` : path;
}

// The label of an arrow; a lock stands before one that asks for a PIN.
function drawLabel(way, x, y, text, icons) {
  if (!way.asksPin) return [make("text", { x, y }, text)];
  measure.font = `500 ${TEXT}px system-ui, sans-serif`;
  const left = x - measure.measureText(text).width / 2 - LOCK / 2;
  const lock = make("use", { href: `${icons}#shut`, x: left, y: y - 12, width: 14, height: 14 });
  return [lock, make("text", { x: x + LOCK / 2, y }, text)];
}

function drawWay(graph, way, icons) {
  const group = make("g", { class: way.isQuiet ? "arrow quietly" : "arrow" });
  if (way.source === way.target) {
    const node = graph.node(way.source);
    const top = node.y - HEIGHT / 2;
    const d = `M${node.x - 24},${top}c-8,${-LOOP} 56,${-LOOP} 48,0`;
    group.append(make("path", { d, "marker-end": "url(#arrow)" }));
    group.append(...drawLabel(way, node.x, top - LOOP + 6, fit(way.label, 160), icons));
    return group;
  }
  const edge = graph.edge(way.source, way.target, way.label);
  const between = edge.points.slice(1, -1);
  const start = meet(graph.node(way.source), between[0]);
  const end = meet(graph.node(way.target), between.at(-1));
  group.append(make("path", { d: curve([start, ...between, end]), "marker-end": "url(#arrow)" }));
  group.append(...drawLabel(way, edge.x, edge.y + 4, way.text, icons));
  return group;
}

function drawBox(graph, box, icons, isFirst) {
  const { x, y, width } = graph.node(box.id);
  const height = HEIGHT;  // without the room for a loop above
  const left = x - width / 2, top = y - height / 2;
  const group = make("g", { class: isFirst ? "box start" : "box", "data-box": box.id, "data-kind": box.kind });
  group.append(
    make("title", {}, box.label),
    make("rect", { class: "edge", x: left, y: top, width, height, rx: 8 }),
    make("path", { class: "tab", d: `M${left + 1},${top + 9}a8,8 0 0 1 8,-8h${TAB - 9}v${height - 2}h${9 - TAB}a8,8 0 0 1 -8,-8z` }),
    make("use", { href: `${icons}#${box.kind}`, x: left + 9, y: top + 11, width: 18, height: 18 }),
    make("text", { x: left + TAB + 10, y: y + 5 }, box.text),
  );
  if (!box.address) return group;
  return make("a", { href: box.address, "aria-label": box.label }, group);
}

export function draw(flow) {
  const found = read(flow);
  const canvas = flow.querySelector(".flow-canvas");
  if (!found.boxes.length) return;
  const graph = place(found);
  const { width, height } = graph.graph();
  canvas.hidden = false;
  // Shrink a little to avoid scrolling.
  const scale = Math.max(SMALLEST, Math.min(1, canvas.clientWidth / width));
  const size = { width: Math.floor(width * scale), height: Math.floor(height * scale) };
  const picture = make("svg", { class: "drawing", ...size, viewBox: `0 0 ${width} ${height}` });
  const arrow = make("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto-start-reverse" });
  arrow.append(make("path", { d: "M0,0L8,4L0,8z" }));
  picture.append(make("defs", {}, arrow));
  picture.append(...found.ways.map((way) => drawWay(graph, way, flow.dataset.icons)));
  picture.append(...found.boxes.map((box, at) => drawBox(graph, box, flow.dataset.icons, at === 0)));
  canvas.replaceChildren(picture);
  flow.querySelector("details").open = false;
  flow.dataset.drawn = "";
  light(lit);
}

export function light(node) {
  lit = node;
  for (const box of document.querySelectorAll("[data-box]")) box.classList.toggle("lit", box.dataset.box === node);
  const now = node && document.querySelector(`[data-box="${CSS.escape(node)}"]`);
  if (!now) return;
  const canvas = now.closest(".flow-canvas");
  const where = now.getBoundingClientRect(), frame = canvas.getBoundingClientRect();
  canvas.scrollTo({
    left: canvas.scrollLeft + where.left + where.width / 2 - frame.left - frame.width / 2,
    top: canvas.scrollTop + where.top + where.height / 2 - frame.top - frame.height / 2,
    behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth",
  });
}

document.addEventListener("openivr:place", (event) => light(event.detail.node));
