// The plots of a report, drawn from its tables: what a plot shows and what the table says cannot differ.

import { init } from "./vendor/echarts.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const drawn = new Set();
const probe = document.createElement("span");
let isFirst = true;

// What a token of the style is now, as a colour that a canvas takes; `data` are the attributes that choose a tint.
function colour(token, data = {}) {
  for (const name of Object.keys(probe.dataset)) delete probe.dataset[name];
  Object.assign(probe.dataset, data);
  probe.style.color = `var(${token})`;
  return getComputedStyle(probe).color;
}

const words = (cell) => cell.textContent.trim();
const count = (cell) => Number(cell.dataset.value ?? 0);
const address = (cell) => cell.querySelector("a")?.getAttribute("href") ?? "";
// A plot is drawn from its first table; another may follow with further numbers.
const headCells = (plot) => [...plot.querySelector("table").tHead.rows[0].cells];
const bodyRows = (plot) => [...plot.querySelector("table").tBodies[0].rows];
const font = () => getComputedStyle(document.body).fontFamily;

function tell(title, lines, foot) {
  const box = document.createElement("div");
  box.className = "plot-tooltip";
  const head = document.createElement("b");
  head.textContent = title;
  box.append(head);
  for (const [name, value] of lines) {
    const line = document.createElement("span"), label = document.createElement("i");
    label.textContent = name;
    line.append(label, value);
    box.append(line);
  }
  if (foot) {
    const last = document.createElement("i");
    last.textContent = foot;
    box.append(last);
  }
  return box;
}

function frame() {
  return {
    animation: isFirst && !still.matches,
    animationDuration: 400,
    textStyle: { fontFamily: font(), fontSize: 12, color: colour("--quiet") },
    tooltip: {
      confine: true,
      transitionDuration: 0,
      backgroundColor: colour("--paper"),
      borderColor: colour("--line"),
      padding: [8, 12],
      textStyle: { color: colour("--text"), fontFamily: font() },
    },
  };
}

const axisText = () => ({ color: colour("--quiet"), fontSize: 12 });
const lineStyle = () => ({ color: colour("--line") });

function values(extra = {}) {
  return {
    type: "value", minInterval: 1, splitNumber: 4,
    axisLabel: axisText(), splitLine: { lineStyle: lineStyle() }, ...extra,
  };
}

function names(data, extra = {}) {
  return {
    type: "category", data, axisLabel: { ...axisText(), hideOverlap: true },
    axisTick: { show: false }, axisLine: { lineStyle: lineStyle() }, ...extra,
  };
}

// The columns that are drawn, one colour each.
function series(plot, rows, extra) {
  const heads = headCells(plot);
  return heads.flatMap((head, at) => !head.dataset.series ? [] : [{
    name: words(head), type: "bar", stack: "all", cursor: "pointer",
    itemStyle: { color: colour("--tint", { series: head.dataset.series }), opacity: 0.9 },
    emphasis: { disabled: true },
    data: rows.map((row) => ({ value: count(row.cells[at]), href: address(row.cells[at]) })),
    ...extra,
  }]);
}

function tellRow(plot, rows) {
  const heads = headCells(plot);
  return (items) => {
    const row = rows[items[0].dataIndex];
    const lines = heads.map((head, at) => [words(head), row.cells[at]])
      .filter(([, cell], at) => at && count(cell)).map(([name, cell]) => [name, words(cell)]);
    return tell(words(row.cells[0]), lines);
  };
}

const shapes = {
  stack(plot, canvas) {
    const rows = bodyRows(plot), named = rows.filter((row) => "major" in row.dataset);
    const option = frame();
    Object.assign(option.tooltip, { trigger: "axis", axisPointer: { type: "shadow" }, formatter: tellRow(plot, rows) });
    show(canvas, 240, {
      ...option,
      grid: { left: 8, right: 8, top: 16, bottom: 4, containLabel: true },
      xAxis: names(rows.map((row) => row.dataset.label), named.length && {
        axisLabel: { ...axisText(), interval: (at) => "major" in rows[at].dataset },
      }),
      yAxis: values(),
      series: series(plot, rows, { barCategoryGap: rows.length > 60 ? "10%" : "28%", barMaxWidth: 40 }),
    });
  },

  rows(plot, canvas) {
    const rows = bodyRows(plot).filter((row) => row.dataset.menu);
    if (!rows.length) return false;
    const option = frame();
    Object.assign(option.tooltip, { trigger: "axis", axisPointer: { type: "shadow" }, formatter: tellRow(plot, rows) });
    return show(canvas, rows.length * 40 + 32, {
      ...option,
      grid: { left: 8, right: 24, top: 4, bottom: 4, containLabel: true },
      yAxis: names(rows.map((row) => words(row.cells[0])), { inverse: true, axisLabel: side(canvas.clientWidth > 640 ? 240 : 128) }),
      xAxis: values(),
      series: series(plot, rows, { barMaxWidth: 20 }),
    });
  },

  shares(plot, canvas) {
    const rows = bodyRows(plot);
    const option = frame();
    option.tooltip.formatter = (item) => tell(words(rows[item.dataIndex].cells[0]), [[words(rows[item.dataIndex].cells[2]), words(rows[item.dataIndex].cells[1])]]);
    show(canvas, rows.length * 56 + 8, bars(option, rows, {
      name: (row) => words(row.cells[0]),
      cell: (row) => row.cells[1],
      tint: (row) => ({ series: row.dataset.series }),
    }));
  },

  keys(plot, canvas) {
    const rows = bodyRows(plot).filter((row) => row.dataset.menu);
    if (!rows.length) return false;
    canvas.classList.add("several");
    for (const menu of new Set(rows.map((row) => row.dataset.menu))) {
      const own = rows.filter((row) => row.dataset.menu === menu);
      const part = document.createElement("div"), title = document.createElement("h3");
      title.textContent = words(own[0].cells[0]);
      const inner = document.createElement("div");
      part.append(title, inner);
      canvas.append(part);
      const option = frame();
      option.tooltip.formatter = (item) => tell(words(own[item.dataIndex].cells[1]), [[words(own[item.dataIndex].cells[2]), words(own[item.dataIndex].cells[3])]]);
      show(inner, own.length * 32 + 8, bars(option, own, {
        width: part.clientWidth > 360 ? 220 : 168,
        name: (row) => `${words(row.cells[1])}   ${words(row.cells[2])}`,
        cell: (row) => row.cells[3],
        tint: (row) => ({ kind: row.cells[2].dataset.kind }),
      }));
    }
    return true;
  },

  grid(plot, canvas) {
    const rows = bodyRows(plot);
    const heads = headCells(plot).slice(1).map(words);
    const days = rows.map((row) => words(row.cells[0]));
    const data = rows.flatMap((row, y) => heads.map((_, x) => [x, y, count(row.cells[x + 1])]));
    const option = frame();
    option.tooltip.formatter = ({ data: [x, y, calls] }) => tell(`${days[y]} ${heads[x]}:00`, [[words(plot.querySelector("h2")), String(calls)]]);
    show(canvas, 7 * 32 + 32, {
      ...option,
      grid: { left: 8, right: 8, top: 4, bottom: 4, containLabel: true },
      xAxis: names(heads, { axisLine: { show: false } }),
      yAxis: names(days, { inverse: true, axisLine: { show: false } }),
      visualMap: {
        show: false, type: "continuous", min: 0, max: Math.max(1, ...data.map((one) => one[2])),
        inRange: { color: [colour("--sunk"), colour("--accent")] },
      },
      series: [{
        type: "heatmap", data, emphasis: { disabled: true },
        itemStyle: { borderColor: colour("--paper"), borderWidth: 2, borderRadius: 4 },
      }],
    });
  },

  flow(plot, canvas) {
    const nodes = new Map(), links = [];
      for (const row of bodyRows(plot)) {
      const ends = [["source", row.cells[0]], ["target", row.cells[1]]];
      for (const [end, cell] of ends) {
        const id = row.dataset[end];
        nodes.set(id, { name: id, label: words(cell), itemStyle: { color: colour("--tint", { kind: row.dataset[`${end}Kind`] }) } });
      }
      links.push({ source: row.dataset.source, target: row.dataset.target, value: count(row.cells[2]), href: address(row.cells[2]) });
    }
    const label = (id) => nodes.get(id).label, unit = words(headCells(plot).at(-1));
    const option = frame();
    option.tooltip.formatter = ({ dataType, data, value }) => dataType === "edge"
      ? tell(`${label(data.source)} → ${label(data.target)}`, [[unit, String(data.value)]], data.href && canvas.dataset.words)
      : tell(data.label, [[unit, String(value)]]);
    canvas.classList.add("pulls");
    canvas.tabIndex = 0;
    const ends = [...nodes.keys()].filter((id) => !links.some((link) => link.source === id)).length;
    const inner = document.createElement("div");
    canvas.append(inner);
    show(inner, Math.max(280, ends * 40), {
      ...option,
      series: [{
        type: "sankey", data: [...nodes.values()], links, left: 4, right: 212, top: 8, bottom: 8,
        nodeWidth: 12, nodeGap: 16, draggable: false, layoutIterations: 64, cursor: "pointer",
        label: { color: colour("--text"), fontSize: 13, textBorderColor: colour("--paper"), textBorderWidth: 3, width: 200, overflow: "truncate", formatter: ({ data }) => data.label },
        lineStyle: { color: "target", opacity: 0.24, curveness: 0.5 },
        emphasis: { focus: "none", lineStyle: { opacity: 0.45 } },
      }],
    });
  },
};

const side = (width) => ({ color: colour("--text"), fontSize: 13, width, overflow: "truncate" });

// Bars of one colour each, with their numbers behind them.
function bars(option, rows, { name, cell, tint, width = 168 }) {
  return {
    ...option,
    grid: { left: 4, right: 48, top: 0, bottom: 0, containLabel: true },
    yAxis: names(rows.map(name), { inverse: true, axisLabel: side(width), axisLine: { show: false } }),
    xAxis: values({ show: false }),
    series: [{
      type: "bar", cursor: "pointer", barMaxWidth: 20, emphasis: { disabled: true },
      label: { show: true, position: "right", color: colour("--text"), fontSize: 13, formatter: ({ dataIndex }) => words(cell(rows[dataIndex])) },
      data: rows.map((row) => ({
        value: count(cell(row)), href: address(cell(row)),
        itemStyle: { color: colour("--tint", tint(row)), borderRadius: [0, 3, 3, 0] },
      })),
    }],
  };
}

const watch = new ResizeObserver((entries) => {
  for (const { target } of entries) target.chart?.resize({ width: target.clientWidth });
});

function show(element, height, option) {
  element.style.height = `${height}px`;
  const chart = init(element, null, { renderer: "canvas" });
  chart.setOption(option);
  chart.on("click", ({ data }) => { if (data?.href) location.assign(data.href); });
  element.chart = chart;
  drawn.add(chart);
  watch.observe(element);
  return true;
}

// A heat map is painted in slices of 15 ms. A slice that is still due fails once its chart is disposed; painting an
// empty chart first makes it obsolete.
function remove(chart) {
  chart.clear();
  chart.dispose();
}

function clear() {
  watch.disconnect();
  for (const chart of drawn) remove(chart);
  drawn.clear();
}

function drawAll() {
  clear();
  document.body.append(probe);
  for (const plot of document.querySelectorAll("[data-plot]")) {
    const canvas = plot.querySelector(".canvas");
    canvas.replaceChildren();
    canvas.hidden = false;
    canvas.hidden = shapes[plot.dataset.plot](plot, canvas) === false;
    if (isFirst) for (const numbers of plot.querySelectorAll("details")) numbers.open = canvas.hidden;
  }
  probe.remove();
  isFirst = false;
}

function start() {
  isFirst = true;
  drawAll();
}

start();
document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.elt.id === "report") start(); });
dark.addEventListener("change", drawAll);
