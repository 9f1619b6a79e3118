"use strict";
/* The state of the page, and the functions that set it. All numbers shown are computed from it.

   Steps and units count from 0 in the code and from 1 on the page. */

const start = JSON.parse(document.getElementById("data").textContent);
const { units } = start;
const looks = Object.fromEntries(Object.entries(start.looks).map(([k, look]) => [k, { ...look, colour: `var(--${k})` }]));
const UNITS = [...Array(units).keys()];
const LONGEST = start.longest_x.length, SHORTEST = 2;
const BIAS = { low: -3, high: 5 };
const LIMITS = { i: [0, 1], f: [0, 1], g: [-1, 1], o: [0, 1], x: [-2, 2], loss: [-1, 1], weights: [-1000, 1000] };

/* experiment, network: keys of the data.  weights: W, U, b.  x[t][n].  held[t][k][u]: a value or null.
   loss_weights[t][u].  step: the one shown in numbers. */
const state = {};

const copied = value => JSON.parse(JSON.stringify(value));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const stepsOf = () => [...state.x.keys()];
const free = () => Object.fromEntries(GATES.map(k => [k, UNITS.map(() => null)]));

const experimentOf = key => start.experiments.find(one => one.key === key);
const networkOf = key => start.networks.find(one => one.key === key);

function setNetwork(key) {
  const { W, U, b } = networkOf(key);
  state.network = key;
  state.weights = copied({ W, U, b });
}

function setExperiment(key) {
  const { network, step, held, loss_weights } = experimentOf(key), x = copied(start.x);
  setNetwork(network);
  Object.assign(state, { experiment: key, step, x, held: x.map(free), loss_weights: x.map(() => zeros(units)) });
  for (const [t, k, u, value] of held) state.held[t][k][u] = value;
  for (const [t, u, value] of loss_weights) state.loss_weights[t][u] = value;
}

/* Sets the number of steps T. Rows that are alike at all steps stay alike; otherwise the loss stays at the end. */
function setSteps(T) {
  const { x, held, loss_weights } = state, T_old = x.length;
  const alike = rows => rows.every(row => same(row, rows[0]));
  const longer = (rows, row) => [...Array(T).keys()].map(t => copied(rows[t] ?? row(t)));
  state.x = longer(x, t => start.longest_x[t]);
  state.held = longer(held, alike(held) ? () => held[0] : free);
  state.loss_weights = longer(loss_weights, alike(loss_weights) ? () => loss_weights[0] : () => zeros(units));
  if (T !== T_old && !alike(loss_weights)) {
    if (T > T_old) state.loss_weights[T_old - 1] = zeros(units);
    state.loss_weights[T - 1] = copied(loss_weights[T_old - 1]);
  }
  state.step = Math.min(state.step, T - 1);
}

/* The forget bias: the mean of b over the forget gates. Setting it shifts them by the same amount. */
const forgetColumns = () => UNITS.map(u => columnOf("f", u, units));
const forgetBias = () => sum(forgetColumns().map(column => state.weights.b[column])) / units;
function setForgetBias(value) {
  const shift = value - forgetBias();
  for (const column of forgetColumns()) state.weights.b[column] += shift;
}

function compute() {
  const { weights, x, held, loss_weights } = state, zero = zeros(units);
  const steps = forward(weights, x, held, zero, zero), back = backward(weights, x, held, steps, loss_weights, zero);
  const largest = values => Math.max(...values.flat().map(Math.abs));
  const gradients = back.steps.flatMap(d => [d.dh, d.dc, d.dx, d.ledger.c.carousel, ...Object.values(d.ledger.h),
    ...GATES.map(k => d[`dz_${k}`])]);
  return { steps, back, limit: largest(gradients) || 1, limitOfC: Math.max(1, largest(steps.map(s => s.c_new))),
    limitOfWeights: largest([...back.dW, ...back.dU, back.db]) || 1 };
}
