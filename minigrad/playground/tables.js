"use strict";
/* The tables below the picture, and the table of weights, whose bars have handles. */

const bars = [];   // all bars of the tables: {row, at, bar, data, input, shown}

function barHTML(row, at, name, colour) {
  const slider = row.set
    ? `<input type="range" step="${row.by}" aria-orientation="vertical" aria-label="${name}">` : "";
  return `<span class="one${row.symbol ? "" : " slim"}" data-row="${row.key}" data-at="${at.join(" ")}">`
    + `<span class="bar${row.set ? "" : " seen"}" style="--fill: ${colour}">${slider}</span><data></data></span>`;
}

function rowHTML(row) {
  const cells = stepsOf().map(t => `<td data-step="${t}"><span class="pair">`
    + UNITS.map(u => barHTML(row, [t, u], "", row.colour)).join("") + "</span></td>");
  const name = `<b>${row.symbol}</b> <span class="long">${row.name}</span><small>${row.note}</small>`;
  return `<tr><th scope="row">${name}</th>${cells.join("")}</tr>`;
}

function tableHTML([title, note, rows]) {
  const heads = stepsOf().map(t => `<th scope="col" data-step="${t}">${t + 1}</th>`);
  return `<div class="wide" tabindex="0" role="region" aria-label="${title}"><table class="bars" style="--T: ${state.x.length}"><caption>${title} <small>${note}</small></caption>`
    + `<thead><tr><th scope="col">step</th>${heads.join("")}</tr></thead>`
    + `<tbody>${rows.map(rowHTML).join("")}</tbody></table></div>`;
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

/* Makes the tables again, for another number of steps. */
function makeTables() {
  byId("tables").innerHTML = TABLES.map(tableHTML).join("");
  const rows = Object.fromEntries([...TABLES.flatMap(table => table[2]), ...WEIGHTS.flat()].map(row => [row.key, row]));
  bars.length = 0;
  for (const one of document.querySelectorAll(".one")) {
    const row = rows[one.dataset.row], at = one.dataset.at.split(" ").map(Number);
    bars.push({ row, at, bar: one.querySelector(".bar"), data: one.querySelector("data"), input: one.querySelector("input") });
  }
}

function showBar(one, now) {
  const { row, at, bar, data, input } = one, narrow = window.innerWidth <= 640;
  const value = row.get(now, ...at), high = row.limit?.(now) ?? row.high, low = row.low ?? -high;
  const text = (narrow || row.isWeight ? short : number)(value), shown = [value, low, high, text].join();
  if (shown === one.shown) return;   // writing to the page takes longer than computing
  one.shown = shown;
  const place = v => 100 * (Math.min(high, Math.max(low, v)) - low) / (high - low);
  bar.style.setProperty("--low", `${Math.min(place(0), place(value))}%`);
  bar.style.setProperty("--high", `${Math.abs(place(value) - place(0))}%`);
  bar.classList.toggle("signed", low !== 0);
  data.value = value;
  if (data.textContent !== text) data.textContent = text;
  if (!input) return;
  [input.min, input.max, input.value] = [low, high, value];
  input.setAttribute("aria-valuetext", number(value));
}

/* Connects the bars of the weights. `changed` shows the state; `done` also keeps it, as one step of undo. */
function listenToWeights(table, changed, done) {
  const set = ({ target }) => {
    const { row, at } = bars.find(one => one.input === target);
    row.set(Number(target.value), ...at);
  };
  table.addEventListener("input", event => { set(event); forgetTraining(); changed(); });
  table.addEventListener("change", event => done(event.target.getAttribute("aria-label")));
}
