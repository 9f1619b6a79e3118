"use strict";
/* The picture of the gradient: each path from step to step is a ribbon, whose width is the size of the gradient.

   A step is a column. The states after it are on its right border: c of each unit in a separate pipe (the carousel:
   units do not mix there), and h below. Those before it are on its left border. The gradient comes from the right:

     up      from h to c, through h = o ∘ tanh c: the share that the output gate passes
     left    along the pipe, through the forget gate: its two doors leave an opening of f, and the ribbon narrows by f
     down    from c through i, f, g, and from h through o, to h of the step before: there the units mix

   Widths are of |∂L/∂…|, summed over units where they mix, on one linear scale. */

const SIDE = 13;     // pixels beside the first and last border, for the discs of h
const NONE = 0.25;   // pixels: a narrower ribbon is drawn as a dotted line

/* The places of the lanes, from top to bottom: the middle of each, and the height of all. A handle is `row` high. */
function lanesOf(row, pipe) {
  const lane = { c: [], gate: {} };
  let y = 20;
  const next = height => (y += height) - height / 2;
  UNITS.forEach(u => { lane.c[u] = next(pipe + 8); });
  for (const k of GATES) lane.gate[k] = next(k === "f" ? 24 : units * row + 8);
  lane.h = next(46);
  lane.loss_weights = next(units * row + 8);
  lane.x = next(units * row + 8);
  return { ...lane, row, pipe, height: y };
}

/* The sizes of the picture: wide enough for a finger at each handle; on a narrow window the frame scrolls. */
function sizesOf(frame, T) {
  const fingers = matchMedia("(pointer: coarse)").matches || frame.clientWidth < 560;
  const column = Math.max(fingers ? 34 : 46, (frame.clientWidth - 2 * SIDE) / T);
  return { T, column, width: column * T, ...lanesOf(fingers ? 24 : 18, fingers ? 38 : 42) };
}

const byId = id => document.getElementById(id);
const shown = values => values.map(value => value.toFixed(1)).join(" ");

/* The scale of the ribbons: the largest gradient fills a pipe. */
function flowScale(back) {
  const all = back.steps.flatMap(d => [
    ...d.dc, ...d.dc_through_o, ...d.dc_arrived, absolute(d.dh), ...GATES.map(k => absolute(d.ledger.h[k]))]);
  return Math.max(...all.map(Math.abs));
}

/* A ribbon along a curve; below NONE a dotted line, for a path without a gradient. */
function ribbon(curve, width, colour, dashes, title) {
  if (!(width > NONE)) return `<path class="faint" d="${curve}"><title>${title}</title></path>`;
  const line = width > 5 && dashes !== null
    ? `<path class="dash" d="${curve}" stroke-dasharray="${dashes}"/>` : "";
  return `<path d="${curve}" fill="none" stroke="${colour}" stroke-opacity=".8" stroke-width="${width.toFixed(2)}">`
    + `<title>${title}</title></path>${line}`;
}

/* From one point to another, level at both ends. */
function curved(x_1, y_1, x_2, y_2) {
  const middle = (x_1 + x_2) / 2;
  return `M${shown([x_1, y_1])} C${shown([middle, y_1])} ${shown([middle, y_2])} ${shown([x_2, y_2])}`;
}

/* Up from h to c: one unit to the left of the border, and one to its right. */
function upward(d, u, x, size, unit, name) {
  const width = unit * Math.abs(d.dc_through_o[u]), at = x + (u ? 1 : -1) * Math.min(size.pipe / 4, 7);
  return ribbon(`M${shown([at, size.h])} L${shown([at, size.c[u]])}`, Math.min(width, size.pipe), looks.a.colour, null,
    `into c${name} of unit ${u + 1} through o and tanh: ${number(d.dc_through_o[u])}`);
}

/* Along the carousel: the ribbon that narrows between the doors of the forget gate, and its pipe. */
function carousel(s, d, t, u, box, size, unit) {
  const { left, middle, right } = box, { pipe } = size, y = size.c[u];
  const before = unit * Math.abs(d.dc[u]) / 2, after = unit * Math.abs(d.ledger.c.carousel[u]) / 2, narrow = pipe / 6;
  const title = `step ${t + 1}, unit ${u + 1}: f = ${number(s.f[u])} lets ${number(d.ledger.c.carousel[u])} `
    + `of ${number(d.dc[u])} through`;
  const upper = [[right, before], [middle + narrow, before], [middle - narrow, after], [left, after]];
  const outline = [...upper.map(([x, dy]) => [x, y - dy]), ...upper.reverse().map(([x, dy]) => [x, y + dy])];
  const inside = after > NONE / 2 || before > NONE / 2
    ? `<path d="M${outline.map(shown).join(" L")} Z" fill="${looks.carousel.colour}" fill-opacity=".82">`
      + `<title>${title}</title></path>` : "";
  const around = `<rect class="pipe" x="${shown([left])}" y="${shown([y - pipe / 2])}" width="${shown([right - left])}"`
    + ` height="${shown([pipe])}"><title>${title}</title></rect>`;
  return { around, inside };
}

/* Down to h of the step before: i, f and g from c, o from h. */
function throughGate(k, d, t, box, size, unit) {
  const { left, middle, right } = box, y = size.gate[k], width = Math.min(size.pipe, unit * absolute(d.ledger.h[k]));
  const from = k === "o" ? size.h : size.c[1] + size.pipe / 2 - 2, look = looks[k];
  const title = `step ${t + 1}: through ${k} to h${subscript(t)} ${number(absolute(d.ledger.h[k]))}`;
  return ribbon(curved(right, from, middle, y), width, look.colour, look.dashes, title)
    + ribbon(curved(middle, y, left, size.h), width, look.colour, look.dashes, title);
}

/* The sign of the forget gate, whose handles are the doors in the pipes. */
const signOfF = (box, size) => `<circle class="gate" cx="${shown([box.middle])}" cy="${size.gate.f}" r="9"`
  + ` stroke="${looks.f.colour}"/><text class="letter" x="${shown([box.middle])}" y="${size.gate.f}">f</text>`;

/* h after step t: a disc as large as its gradient, and its name. */
function state_h(x, t, dh, radius, size) {
  const r = shown([Math.max(2.5, radius)]);
  return { disc: `<circle class="h" cx="${shown([x])}" cy="${size.h}" r="${r}" fill="${looks.h.colour}">`
      + `<title>|∂L/∂h${subscript(t)}| = ${number(dh)}</title></circle>`,
    name: `<text class="state" x="${shown([x])}" y="${size.h + 20}">h${subscript(t)}</text>` };
}

/* The labels of the lanes, to the left of the picture, and of the steps. */
function flowNames(size) {
  const wide = size.column > 60, top = (text, y) => `<span style="top: ${shown([y])}px">${text}</span>`;
  const head = t => `<text class="state" x="${shown([(t + 0.5) * size.column])}" y="13">${wide ? "step " : ""}${t + 1}</text>`;
  const two = (name, y) => top(name, y) + UNITS.map(u =>
    `<small style="top: ${shown([y + (u - (units - 1) / 2) * size.row])}px">${u + 1}</small>`).join("");
  byId("lanes").innerHTML = [
    ...size.c.map((y, u) => top(`<b>f</b> <i>door of c, </i>${u + 1}`, y)),
    ...["i", "g", "o"].map(k => two(`<b>${k}</b> <i>${looks[k].name.slice(0, -2)}</i>`, size.gate[k])),
    top("<b>h</b> <i>both units</i>", size.h),
    two("<b>L</b> <i>loss weight</i>", size.loss_weights), two("<b>x</b> <i>input</i>", size.x),
  ].join("");
  return [...Array(size.T).keys()].map(head);
}

/* Draws the ribbons into the svg element's groups, and returns the gradient of the widest. */
function drawFlow(svg, size, steps, back, chosen) {
  const { pipe, column, height } = size, largest = flowScale(back), unit = largest > 0 ? pipe / largest : 0;
  const under = [], pipes = [], paths = [], names = flowNames(size);
  const state = (x, t, dh) => {
    const { disc, name } = state_h(x, t, dh, Math.min(SIDE - 1, Math.sqrt(unit * dh * pipe) / 2), size);
    paths.push(disc);
    names.push(name);
  };
  const ribbons = [];
  steps.forEach((s, t) => {
    const d = back.steps[t], box = { left: t * column, middle: (t + 0.5) * column, right: (t + 1) * column };
    under.push(`<rect class="column${t === chosen ? " chosen" : ""}" data-step="${t}" x="${shown([box.left])}" y="0"`
      + ` width="${shown([column])}" height="${height}"/>`);
    for (const k of GATES) paths.push(throughGate(k, d, t, box, size, unit));
    UNITS.forEach(u => {
      const { around, inside } = carousel(s, d, t, u, box, size, unit);
      pipes.push(around);
      ribbons.push(inside);
      paths.push(upward(d, u, box.right, size, unit, subscript(t + 1)));
    });
    names.push(signOfF(box, size));
  });
  state(0, 0, absolute(back.dh_0));
  back.steps.forEach((d, t) => state((t + 1) * column, t + 1, absolute(d.dh)));
  const groups = { under: [...under, ...pipes], ribbons: [...paths, ...ribbons], names };
  for (const [name, drawn] of Object.entries(groups)) svg.querySelector(`.${name}`).innerHTML = drawn.join("");
  return largest;
}
