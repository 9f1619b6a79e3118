"use strict";
/* The rows of the page: the name of each, the function that reads its value, and, with a handle, the one that sets it.

   A row reads from `now`, the result of `compute` in state.js, and writes into `state`. A row of the tables over time is
   called with (t, u), one of the weights with a column. */

const INK = "var(--soft)";

const gateRow = k => ({
  key: k, symbol: `${k}ₜ`, name: looks[k].name, note: k === "g" ? "−1 to 1" : looks[k].scale, colour: looks[k].colour,
  low: LIMITS[k][0], high: LIMITS[k][1], by: 0.01,
  get: (now, t, u) => now.steps[t][k][u],
  set: (value, t, u) => { state.held[t][k][u] = value; },
  free: (t, u) => { state.held[t][k][u] = null; },
  isHeld: (t, u) => state.held[t][k][u] !== null,
});

const inputRow = {
  key: "x", symbol: "xₜ", name: "input", note: "x₁ a value, x₂ the mark", colour: INK,
  low: LIMITS.x[0], high: LIMITS.x[1], by: 0.05,
  get: (now, t, n) => state.x[t][n],
  set: (value, t, n) => { state.x[t][n] = value; },
};

const lossRow = {
  key: "loss_weights", symbol: "L", name: "loss weight", note: "of h after the step", colour: INK,
  low: LIMITS.loss[0], high: LIMITS.loss[1], by: 0.05,
  get: (now, t, u) => state.loss_weights[t][u],
  set: (value, t, u) => { state.loss_weights[t][u] = value; },
};

/* A row without handles; `limit` is the end of its scale, by default that of all gradients. */
function seenRow(key, symbol, name, note, colour, get, limit = now => now.limit) {
  return { key, symbol, name, note, colour, get, limit };
}

const stateRows = [
  seenRow("c", "cₜ", "cell state", "f ∘ c + i ∘ g", looks.c.colour, (now, t, u) => now.steps[t].c_new[u],
    now => now.limitOfC),
  seenRow("h", "hₜ", "output", "o ∘ tanh c", looks.h.colour, (now, t, u) => now.steps[t].h_new[u], () => 1),
];

const gradientRows = [
  seenRow("dh", "dhₜ", "∂L/∂h", "loss weight, and from step t + 1", looks.h.colour, (now, t, u) => now.back.steps[t].dh[u]),
  seenRow("dc_through_o", "h → c", "through o", "dh ∘ o ∘ tanh′c", looks.a.colour,
    (now, t, u) => now.back.steps[t].dc_through_o[u]),
  seenRow("dc", "dcₜ", "∂L/∂c", "through o, and from step t + 1", looks.c.colour,
    (now, t, u) => now.back.steps[t].dc[u]),
  ...GATES.map(k => seenRow(`dz_${k}`, `dz_${k}`, `∂L/∂z of ${k}`, "before its activation", looks[k].colour,
    (now, t, u) => now.back.steps[t][`dz_${k}`][u])),
  seenRow("dx", "dxₜ", "∂L/∂x", "influence of an input", INK, (now, t, n) => now.back.steps[t].dx[n]),
];

const ledgerRows = [
  seenRow("carousel", "c", "carousel", "to c before: dc ∘ f", looks.carousel.colour,
    (now, t, u) => now.back.steps[t].ledger.c.carousel[u]),
  ...GATES.map(k => seenRow(`way_${k}`, `h, ${k}`, `through ${k}`, `to h before: dz_${k} U_${k}ᵀ`, looks[k].colour,
    (now, t, u) => now.back.steps[t].ledger.h[k][u])),
  seenRow("way_h", "h, Σ", "all gates", "to h before: the sum of the four", looks.h.colour,
    (now, t, u) => sum(GATES.map(k => now.back.steps[t].ledger.h[k][u]))),
];

const RIVER = [...GATES.map(gateRow), lossRow, inputRow];   // the rows with handles in the picture
const TABLES = [
  ["States", "", stateRows],
  ["Gradients", "after each step; they flow from right to left", gradientRows],
  ["The ledger", "gradients that each step passes to the one before, by path", ledgerRows],
];

/* The rows of W, U and b: a weight and its gradient. */
function weightRow(matrix, n, symbol, name) {
  const row = () => matrix === "b" ? state.weights.b : state.weights[matrix][n];
  const gradient = back => matrix === "b" ? back.db : back[`d${matrix}`][n];
  const shared = { name, by: 0.05, isWeight: true };
  return [
    { ...shared, key: `${matrix}${n}`, symbol, low: -6, high: 6, get: (now, column) => row()[column],
      set: (value, column) => { row()[column] = value; } },
    { ...shared, key: `d${matrix}${n}`, get: (now, column) => gradient(now.back)[column],
      limit: now => now.limitOfWeights },
  ];
}

const WEIGHTS = [
  ...start.x[0].map((_, n) => weightRow("W", n, `W, x${subscript(n + 1)}`, `W, from x${subscript(n + 1)}`)),
  ...UNITS.map(m => weightRow("U", m, `U, h${subscript(m + 1)}`, `U, from h of unit ${m + 1}`)),
  weightRow("b", 0, "b", "the bias b"),
];
