// Paints a week: a grid of half hours over the text fields of the days. The fields are what is saved; the grid shows
// them, and writes them when it is painted.

const DAY = 1440, STEP = 30;
const CLOSED = 0, OPEN = 1, BREAK = 2;
const KINDS = ["closed", "open", "break"];
const SPAN = /^\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*$/;

const painter = document.getElementById("painter");
const words = JSON.parse(painter.dataset.words);
const days = [...document.querySelectorAll("[data-day]")];
const input = (day, kind) => document.getElementById(`${kind}-${day.dataset.day}`);
const minutes = days.map(() => new Uint8Array(DAY));
let stroke = null; // the kind that is being painted by a pressed button

const clock = (minute) => {
  const at = minute === DAY ? DAY - 1 : minute;
  return `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
};

// The spans of a text. A part that is no span is left out; the server says what is wrong with it.
function readSpans(text) {
  return text.split(/[,;]/).flatMap((part) => {
    const match = SPAN.exec(part);
    if (!match) return [];
    const [, a, b, c, d] = match.map(Number);
    if (Math.max(a, c) > 23 || Math.max(b, d) > 59) return [];
    const start = a * 60 + b;
    let end = c * 60 + d;
    if (end < start) end += DAY;
    return [[start, end === DAY - 1 ? DAY : end]];
  });
}

function readAll() {
  for (const row of minutes) row.fill(CLOSED);
  for (const [name, kind] of [["open", OPEN], ["break", BREAK]]) {
    days.forEach((day, at) => {
      for (const [start, end] of readSpans(input(day, name).value)) {
        minutes[at].fill(kind, start, Math.min(end, DAY));
        if (end > DAY) minutes[(at + 1) % days.length].fill(kind, 0, end - DAY);
      }
    });
  }
}

function findSpans(row, kinds) {
  const spans = [];
  for (let minute = 0; minute < DAY; minute += 1) {
    if (!kinds.includes(row[minute])) continue;
    const last = spans.at(-1);
    if (last?.[1] === minute) last[1] += 1;
    else spans.push([minute, minute + 1]);
  }
  return spans;
}

const write = (spans) => spans.map(([start, end]) => `${clock(start)}-${clock(end)}`).join(", ");

function writeDay(at) {
  const row = minutes[at];
  const office = findSpans(row, [OPEN, BREAK]).filter(([start, end]) => row.subarray(start, end).includes(OPEN));
  input(days[at], "open").value = write(office);
  input(days[at], "break").value = write(findSpans(row, [BREAK]));
}

const cells = []; // by day and half hour

function build() {
  const table = document.createElement("table");
  table.setAttribute("role", "grid");
  table.setAttribute("aria-describedby", "painter-about");
  table.setAttribute("aria-label", painter.querySelector("legend").textContent);
  const head = table.createTHead().insertRow();
  head.append(document.createElement("td"));
  for (let hour = 0; hour < 24; hour += 2) {
    const cell = document.createElement("th");
    cell.colSpan = 4;
    cell.scope = "colgroup";
    cell.textContent = String(hour).padStart(2, "0");
    head.append(cell);
  }
  const body = table.createTBody();
  days.forEach((day, at) => {
    const row = body.insertRow();
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = day.querySelector("legend").textContent;
    row.append(name);
    cells.push([]);
    for (let slot = 0; slot < DAY / STEP; slot += 1) {
      const cell = row.insertCell();
      cell.setAttribute("role", "gridcell");
      cell.tabIndex = at === 0 && slot === 18 ? 0 : -1;
      Object.assign(cell.dataset, { at, slot });
      cells[at].push(cell);
    }
  });
  painter.querySelector(".week-grid").append(table);
  return table;
}

function show() {
  cells.forEach((row, at) => row.forEach((cell, slot) => {
    const part = minutes[at].subarray(slot * STEP, (slot + 1) * STEP);
    const isWhole = part.every((kind) => kind === part[0]);
    const kind = isWhole ? KINDS[part[0]] : "part";
    if (cell.dataset.period === kind) return;
    cell.dataset.period = kind;
    cell.setAttribute("aria-label", words.cell
      .replace("{day}", days[at].querySelector("legend").textContent)
      .replace("{start}", clock(slot * STEP)).replace("{end}", clock((slot + 1) * STEP))
      .replace("{kind}", words[kind]));
  }));
}

const tool = () => KINDS.indexOf(painter.querySelector("[name=tool]:checked").value);
const kindOf = (cell) => KINDS.indexOf(cell.dataset.period);

function paint(cell, kind) {
  const at = Number(cell.dataset.at), slot = Number(cell.dataset.slot);
  minutes[at].fill(kind, slot * STEP, (slot + 1) * STEP);
  writeDay(at);
  show();
}

// Painting what is there already takes it away.
const choose = (cell) => (kindOf(cell) === tool() ? CLOSED : tool());

function focus(cell) {
  for (const other of table.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus();
}

const table = build();
readAll();
show();
painter.hidden = false;

table.addEventListener("pointerdown", (event) => {
  const cell = event.target.closest("[data-slot]");
  if (!cell || event.button !== 0 || event.pointerType === "touch") return; // a finger scrolls, and taps
  event.preventDefault();
  focus(cell);
  stroke = choose(cell);
  paint(cell, stroke);
});
table.addEventListener("pointerover", (event) => {
  const cell = event.target.closest("[data-slot]");
  if (cell && stroke !== null) paint(cell, stroke);
});
for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => { stroke = null; });
table.addEventListener("click", (event) => {
  const cell = event.target.closest("[data-slot]");
  if (cell && event.pointerType === "touch") paint(cell, choose(cell));
});

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
table.addEventListener("keydown", (event) => {
  const cell = event.target.closest("[data-slot]");
  if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = Number(cell.dataset.at), slot = Number(cell.dataset.slot);
  let next = null;
  if (event.key in MOVES) next = cells[at + MOVES[event.key][0]]?.[slot + MOVES[event.key][1]];
  else if (event.key === "Home") next = cells[at][0];
  else if (event.key === "End") next = cells[at].at(-1);
  else if (event.key === " " || event.key === "Enter") paint(cell, choose(cell));
  else return;
  event.preventDefault();
  if (!next) return;
  if (event.shiftKey && event.key in MOVES) paint(next, kindOf(cell) < 0 ? tool() : kindOf(cell));
  focus(next);
});

for (const day of days) {
  for (const kind of ["open", "break"]) input(day, kind).addEventListener("input", () => (readAll(), show()));
}
