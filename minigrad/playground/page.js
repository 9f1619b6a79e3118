"use strict";
/* Builds the tables, handles input, and shows the results: `follow` computes everything again at each change.

   Steps and units count from 0 in the code and from 1 on the page. */

const byId = id => document.getElementById(id);
const copied = value => JSON.parse(JSON.stringify(value));
const narrow = () => window.innerWidth <= 640;
const bars = [];   // all bars of the page: {row, at, bar, data, input}

/* --- building --- */

function barHTML(row, at, name, colour) {
  const slider = row.set
    ? `<input type="range" step="${row.by}" aria-orientation="vertical" aria-label="${name}" tabindex="-1">` : "";
  return `<span class="one${row.symbol ? "" : " slim"}" data-row="${row.key}" data-at="${at.join(" ")}">`
    + `<span class="bar${row.set ? "" : " seen"}" style="--fill: ${colour}">${slider}</span><data></data></span>`;
}

function nameOf(row, t, n) {
  return row === inputRow ? `input x${subscript(n + 1)}, step ${t + 1}` : `${row.name}, step ${t + 1}, unit ${n + 1}`;
}

function rowHTML(row) {
  const cells = STEPS.map(t => `<td data-step="${t}"><span class="pair">`
    + UNITS.map(u => barHTML(row, [t, u], nameOf(row, t, u), row.colour)).join("") + "</span></td>");
  const name = `<b>${row.symbol}</b> <span class="long">${row.name}</span><small>${row.note}</small>`;
  return `<tr><th scope="row">${name}</th>${cells.join("")}</tr>`;
}

function tableHTML([title, note, rows]) {
  const heads = STEPS.map(t => `<th scope="col" data-step="${t}"><button type="button" data-step="${t}"`
    + ` aria-label="step ${t + 1}, show its numbers">${t + 1}</button></th>`);
  return `<table class="bars"><caption>${title} <small>${note}</small></caption>`
    + `<thead><tr><th scope="col">step</th>${heads.join("")}</tr></thead>`
    + `<tbody>${rows.map(rowHTML).join("")}</tbody></table>`;
}

function weightsHTML() {
  const heads = GATES.map(k => `<th scope="colgroup" colspan="${units}" style="border-color: ${looks[k].colour}">`
    + `<b>${k}</b></th>`);
  const cell = (weight, gradient, k, u) => {
    const at = [columnOf(k, u, units)], name = `${weight.name} to ${k} of unit ${u + 1}`;
    return `<td><span class="pair">${barHTML(weight, at, name, looks[k].colour)}`
      + `${barHTML(gradient, at, name, looks[k].colour)}</span></td>`;
  };
  const lines = WEIGHTS.map(([weight, gradient]) => `<tr><th scope="row"><b>${weight.symbol}</b></th>`
    + GATES.flatMap(k => UNITS.map(u => cell(weight, gradient, k, u))).join("") + "</tr>");
  return `<table class="bars weights"><thead><tr><td></td>${heads.join("")}</tr></thead>`
    + `<tbody>${lines.join("")}</tbody></table>`;
}

function legendHTML(key) {
  const texts = { a: "into c, through o and tanh", carousel: "along the carousel, between the doors of f" };
  const dashes = GATES.includes(key)
    ? `<path d="M0 7H34" stroke="#fff" stroke-width="1.4" stroke-dasharray="${looks[key].dashes}"/>` : "";
  return `<li><svg viewBox="0 0 34 14" aria-hidden="true"><path d="M0 7H34" stroke="${looks[key].colour}"`
    + ` stroke-opacity=".82" stroke-width="11"/>${dashes}</svg>${texts[key] ?? `through ${key} to h`}</li>`;
}

function build() {
  const buttons = (all, data) =>
    all.map(([key, name]) => `<button type="button" data-${data}="${key}">${name}</button>`);
  byId("tables").innerHTML = TABLES.map(tableHTML).join("");
  byId("weights-table").innerHTML = weightsHTML();
  byId("experiments").innerHTML = buttons(start.experiments.map(one => [one.key, one.name]), "key").join("");
  byId("picker").innerHTML += buttons(STEPS.map(t => [t, t + 1]), "step").join("");
  byId("network").innerHTML = start.networks.map(net => `<option value="${net.key}">${net.name}</option>`).join("");
  byId("legend").innerHTML = ["a", "carousel", ...GATES].map(legendHTML).join("");
  const rows = Object.fromEntries([...TABLES.flatMap(table => table[2]), ...WEIGHTS.flat()].map(row => [row.key, row]));
  for (const one of document.querySelectorAll(".one")) {
    const row = rows[one.dataset.row], at = one.dataset.at.split(" ").map(Number), input = one.querySelector("input");
    bars.push({ row, at, bar: one.querySelector(".bar"), data: one.querySelector("data"), input });
    if (input) listen(input, row, at);
  }
  for (const line of document.querySelectorAll("tbody tr"))
    line.querySelector("input")?.setAttribute("tabindex", 0);   // Tab stops at one bar of a row, arrows move to the others
}

/* --- listening --- */

function listen(input, row, at) {
  const choose = () => { if (!row.isWeight) state.step = at[0]; };
  input.addEventListener("input", () => { row.set(Number(input.value), ...at); choose(); follow(); });
  input.addEventListener("focus", () => { choose(); stopAt(input); follow(); });
  input.addEventListener("dblclick", () => { row.free?.(...at); follow(); });
  input.addEventListener("keydown", event => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const frees = row.free && ["Delete", "Backspace", "Escape"].includes(event.key);
    if (by) goTo(input, by);
    if (frees) { row.free(...at); follow(); }
    if (by || frees) event.preventDefault();
  });
}

const inRowOf = input => [...input.closest("tr").querySelectorAll("input")];
const goTo = (input, by) => { const all = inRowOf(input); all[all.indexOf(input) + by]?.focus(); };

/* Tab stops at the bar of a row that was used last. */
const stopAt = input => inRowOf(input).forEach(one => { one.tabIndex = one === input ? 0 : -1; });

function connect() {
  byId("network").addEventListener("change", event => { setNetwork(event.target.value); follow(); });
  byId("release").addEventListener("click", () => { state.held = nothingHeld(); follow(); });
  byId("experiments").addEventListener("click", ({ target }) => {
    if (target.dataset.key) { setExperiment(target.dataset.key); follow(); }
  });
  byId("held").addEventListener("click", ({ target }) => {
    if (!target.dataset.held) return;
    const [t, k, u] = target.dataset.held.split(" ");
    state.held[t][k][u] = null;
    follow();
  });
  for (const id of ["picker", "tables", "flow"]) byId(id).addEventListener("click", ({ target }) => {
    if (target.matches("button, .column")) { state.step = Number(target.dataset.step); follow(); }
  });
  new ResizeObserver(follow).observe(byId("flow-frame"));
}

/* --- setting --- */

const nothingHeld = () => STEPS.map(() => Object.fromEntries(GATES.map(k => [k, UNITS.map(() => null)])));

function setNetwork(key) {
  const { W, U, b } = start.networks.find(net => net.key === key);
  state.network = key;
  state.weights = copied({ W, U, b });
}

function setExperiment(key) {
  const { network, step, held, loss_weights, text } = start.experiments.find(one => one.key === key);
  setNetwork(network);
  const none = { held: nothingHeld(), loss_weights: STEPS.map(() => zeros(units)) };
  Object.assign(state, { experiment: key, step, x: copied(start.x), ...none });
  for (const [t, k, u, value] of held) state.held[t][k][u] = value;
  for (const [t, u, value] of loss_weights) state.loss_weights[t][u] = value;
  byId("text").textContent = text;
}

/* --- computing and showing --- */

function compute() {
  const { weights, x, held, loss_weights } = state, zero = zeros(units);
  const steps = forward(weights, x, held, zero, zero), back = backward(weights, x, held, steps, loss_weights, zero);
  const largest = values => Math.max(...values.flat().map(Math.abs));
  const gradients = back.steps.flatMap(d => [d.dh, d.dc, d.dx, d.ledger.c.carousel, ...Object.values(d.ledger.h),
    ...GATES.map(k => d[`dz_${k}`])]);
  return { steps, back, limit: largest(gradients) || 1, limitOfC: Math.max(1, largest(steps.map(s => s.c_new))),
    limitOfWeights: largest([...back.dW, ...back.dU, back.db]) || 1 };
}

function showBar(one, now) {
  const { row, at, bar, data, input } = one, held = row.isHeld?.(...at) ?? false;
  const value = row.get(now, ...at), high = row.limit?.(now) ?? row.high, low = row.low ?? -high;
  const shown = [value, low, high, held, narrow()].join();
  if (shown === one.shown) return;   // writing to the page takes longer than computing
  one.shown = shown;
  const place = v => 100 * (Math.min(high, Math.max(low, v)) - low) / (high - low);
  bar.style.setProperty("--low", `${Math.min(place(0), place(value))}%`);
  bar.style.setProperty("--high", `${Math.abs(place(value) - place(0))}%`);
  bar.classList.toggle("signed", low !== 0);
  bar.classList.toggle("mine", held);
  data.value = value;
  const text = (narrow() ? short : number)(value);
  if (data.textContent !== text) data.textContent = text;
  if (!input) return;
  [input.min, input.max, input.value] = [low, high, value];
  input.setAttribute("aria-valuetext", number(value) + (held ? ", held by you" : ""));
}

function showHeld() {
  const all = STEPS.flatMap(t => GATES.flatMap(k => UNITS.map(u => [t, k, u])))
    .filter(([t, k, u]) => state.held[t][k][u] !== null);
  const chip = ([t, k, u]) => `<button type="button" data-held="${t} ${k} ${u}"`
    + ` aria-label="release ${k}, step ${t + 1}, unit ${u + 1}">${k}${subscript(t + 1)} of unit ${u + 1} = ${number(state.held[t][k][u])} ×</button>`;
  byId("release").hidden = !all.length;
  byId("held").innerHTML = !all.length ? "You hold no gate."
    : all.length > 6 ? `You hold ${all.length} gates.` : `You hold ${all.map(chip).join(" ")}`;
}

function follow() {
  const now = compute(), pressed = (button, yes) => button.setAttribute("aria-pressed", yes);
  bars.forEach(one => showBar(one, now));
  const widest = drawFlow(byId("flow"), now.steps, now.back, state.held, looks, state.step);
  byId("story").innerHTML = `${story(now.steps, now.back, state.loss_weights)} The widest ribbon is ${number(widest)}.`;
  byId("lines").innerHTML = stepInNumbers(state.step, now.steps, now.back, state, looks);
  byId("network").value = state.network;
  byId("about").textContent = start.networks.find(net => net.key === state.network).text;
  showHeld();
  for (const button of byId("experiments").children) pressed(button, button.dataset.key === state.experiment);
  for (const button of byId("picker").children) pressed(button, Number(button.dataset.step) === state.step);
  for (const cell of document.querySelectorAll("td[data-step], th[data-step]"))
    cell.classList.toggle("chosen", Number(cell.dataset.step) === state.step);
}

/* Compares this browser's numbers with minigrad's numbers in the file. */
function compare() {
  const now = compute(), at = (object, path) => path.split(".").reduce((part, name) => part[name], object);
  const differences = Object.entries(start.expected).flatMap(([path, steps]) => steps.flatMap((row, t) =>
    row.map((value, u) => Math.abs(value - at({ ...now.steps[t], ...now.back.steps[t] }, path)[u]))));
  const largest = Math.max(...differences);
  byId("agreement").textContent = largest < 1e-12
    ? `The ${differences.length} numbers of the first picture, computed here, are minigrad's to within 10⁻¹².`
    : `The numbers computed here differ from minigrad's by ${number(largest)}: do not trust this page.`;
}

build();
connect();
setExperiment(start.experiments[0].key);
follow();
compare();
