"use strict";
/* The picture of the gradient: each path from step to step is a ribbon, whose width is the size of the gradient.

   A step is a column. The states after it are on its right border: c of each unit in a separate pipe (the carousel:
   units do not mix there), and h below. Those before it are on its left border. The gradient comes from the right:

     up      from h to c, through h = o ∘ tanh c: the share that the output gate passes
     left    along the pipe, through the forget gate: its two doors leave an opening of f, and the ribbon narrows by f
     down    from c through i, f, g, and from h through o, to h of the step before: there the units mix

   Widths are of |∂L/∂…|, summed over units where they mix, on one linear scale. */

const LANE = { c: [40, 92], gate: { i: 140, f: 166, g: 192, o: 218 }, h: 272 };
const NONE = 0.25;   // pixels: a narrower ribbon is drawn as a dotted line

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
    ? `<path d="${curve}" fill="none" stroke="#fff" stroke-width="1.2" stroke-dasharray="${dashes}"/>` : "";
  return `<path d="${curve}" fill="none" stroke="${colour}" stroke-opacity=".8" stroke-width="${width.toFixed(2)}">`
    + `<title>${title}</title></path>${line}`;
}

/* From one point to another, level at both ends. */
function curved(x_1, y_1, x_2, y_2) {
  const middle = (x_1 + x_2) / 2;
  return `M${shown([x_1, y_1])} C${shown([middle, y_1])} ${shown([middle, y_2])} ${shown([x_2, y_2])}`;
}

/* Up from h to c: one unit to the left of the border, and one to its right. */
function upward(d, u, x, pipe, unit, looks, name) {
  const width = unit * Math.abs(d.dc_through_o[u]), at = x + (u ? 1 : -1) * Math.min(pipe / 3, 7);
  return ribbon(`M${shown([at, LANE.h])} L${shown([at, LANE.c[u]])}`, Math.min(width, pipe), looks.a.colour, null,
    `into c${name} of unit ${u + 1} through o and tanh: ${number(d.dc_through_o[u])}`);
}

/* Along the carousel: the pipe, the doors of the forget gate, and the ribbon that narrows between them. */
function carousel(s, d, held, t, u, box, pipe, unit, looks) {
  const { left, middle, right } = box, y = LANE.c[u], opening = s.f[u] * pipe / 2, mine = held.f[u] !== null;
  const before = unit * Math.abs(d.dc[u]) / 2, after = unit * Math.abs(d.ledger.c.carousel[u]) / 2, narrow = pipe / 4;
  const door = (y_door, height) => `<rect class="door${mine ? " mine" : ""}" x="${shown([middle - 2.5])}"`
    + ` y="${shown([y_door])}" width="5" height="${shown([Math.max(0, height)])}"/>`;
  const title = `step ${t + 1}, unit ${u + 1}: f = ${number(s.f[u])} lets ${number(d.ledger.c.carousel[u])} `
    + `of ${number(d.dc[u])} through`;
  const upper = [[right, before], [middle + narrow, before], [middle - narrow, after], [left, after]];
  const outline = [...upper.map(([x, dy]) => [x, y - dy]), ...upper.reverse().map(([x, dy]) => [x, y + dy])];
  const inside = after > NONE / 2 || before > NONE / 2
    ? `<path d="M${outline.map(shown).join(" L")} Z" fill="${looks.carousel.colour}" fill-opacity=".82">`
      + `<title>${title}</title></path>` : "";
  return `<rect class="pipe" x="${shown([left])}" y="${shown([y - pipe / 2])}" width="${shown([right - left])}"`
    + ` height="${shown([pipe])}"><title>${title}</title></rect>${inside}`
    + door(y - pipe / 2, pipe / 2 - opening) + door(y + opening, pipe / 2 - opening);
}

/* Down to h of the step before: i, f and g from c, o from h. */
function throughGate(k, s, d, held, t, box, pipe, unit, looks) {
  const { left, middle, right } = box, y = LANE.gate[k], width = Math.min(pipe, unit * absolute(d.ledger.h[k]));
  const from = k === "o" ? LANE.h : LANE.c[1] + pipe / 2 - 2, look = looks[k];
  const title = `step ${t + 1}: through ${k} to h${subscript(t)} ${number(absolute(d.ledger.h[k]))}`;
  const mine = held[k].some(value => value !== null);
  return {
    way: ribbon(curved(right, from, middle, y), width, look.colour, look.dashes, title)
      + ribbon(curved(middle, y, left, LANE.h), width, look.colour, look.dashes, title),
    sign: `<circle class="gate" cx="${shown([middle])}" cy="${y}" r="9" stroke="${mine ? "#000" : look.colour}"`
      + `${mine ? ' stroke-width="3.5"' : ""}><title>${title}</title></circle>`
      + `<text class="letter" x="${shown([middle])}" y="${y}">${k}</text>`,
  };
}

/* h after step t: a disc as large as its gradient, and its name. */
function state_h(x, t, dh, radius, colour) {
  const r = shown([Math.max(2.5, radius)]);
  return `<circle cx="${shown([x])}" cy="${LANE.h}" r="${r}" fill="${colour}" stroke="#000">`
    + `<title>|∂L/∂h${subscript(t)}| = ${number(dh)}</title></circle>`
    + `<text class="state" x="${shown([x])}" y="${LANE.h + 32}">h${subscript(t)}</text>`;
}

/* The labels of the lanes and columns. */
function flowNames(T, column) {
  const wide = column > 60, lane = (text, y) => `<text class="lane" x="-14" y="${y + 4}">${text}</text>`;
  const head = t => `<text class="state" x="${shown([(t + 0.5) * column])}" y="14">`
    + `${wide ? "step " : ""}${t + 1}</text>`;
  return [
    ...LANE.c.map((y, u) => lane(wide ? `c, unit ${u + 1}` : `c, ${u + 1}`, y)),
    lane(wide ? "h, both units" : "h", LANE.h), wide ? lane("gates", 179) : "",
    ...[...Array(T).keys()].map(head),
  ];
}

/* Draws the picture into an svg element, and returns the gradient of the widest ribbon. */
function drawFlow(svg, steps, back, held, looks, chosen) {
  const width = svg.clientWidth, T = steps.length, column = width / T, pipe = Math.min(26, column * 0.42);
  const largest = flowScale(back), unit = largest > 0 ? pipe / largest : 0;
  const under = [], pipes = [], ways = [], signs = [];
  const disc = (x, t, dh) => signs.push(state_h(x, t, dh, Math.sqrt(unit * dh * pipe) / 2, looks.h.colour));
  disc(0, 0, absolute(back.dh_0));
  steps.forEach((s, t) => {
    const d = back.steps[t], box = { left: t * column, middle: (t + 0.5) * column, right: (t + 1) * column };
    under.push(`<rect class="column${t === chosen ? " chosen" : ""}" data-step="${t}" x="${shown([box.left])}" y="0"`
      + ` width="${shown([column])}" height="310"/>`);
    s.f.forEach((_, u) => {
      pipes.push(carousel(s, d, held[t], t, u, box, pipe, unit, looks));
      ways.push(upward(d, u, box.right, pipe, unit, looks, subscript(t + 1)));
    });
    for (const k of GATES) {
      const { way, sign } = throughGate(k, s, d, held[t], t, box, pipe, unit, looks);
      ways.push(way);
      signs.push(sign);
    }
    disc(box.right, t + 1, absolute(d.dh));
  });
  const drawn = [...under, ...ways, ...pipes, ...signs, ...flowNames(T, column)];
  svg.querySelectorAll("g").forEach(old => old.remove());
  svg.insertAdjacentHTML("beforeend", `<g>${drawn.join("")}</g>`);
  return largest;
}
