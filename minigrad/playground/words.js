"use strict";
/* The texts of the page: numbers, the story of the gradient, and the equations of one step with their numbers. */

const subscript = t => [...String(t)].map(digit => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("");
const percent = share => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}&nbsp;%`;
const inBrackets = value => value < 0 ? `(${number(value)})` : number(value);
const absolute = values => sum(values.map(Math.abs));

/* Two or three digits. */
function number(value) {
  const size = Math.abs(value), sign = value < 0 ? "−" : "";
  if (size < 5e-13) return "0";
  if (size < 0.0009995) return sign + size.toExponential(0).replace("-", "−");
  return sign + size.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : size < 0.0995 ? 3 : 2);
}

/* At most two digits, without the 0 before the point: two such numbers fit into forty pixels. */
function short(value) {
  const size = Math.abs(value), sign = value < 0 ? "−" : "";
  if (size < 0.005) return size < 5e-13 ? "0" : "~0";
  return sign + size.toFixed(size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2).replace(/^0/, "");
}

/* --- the story --- */

/* The gradient from the last step in the loss to the first: its start, its end, its paths, the narrowest gate. */
function story(steps, back, loss_weights) {
  const last = loss_weights.findLastIndex(row => row.some(value => value !== 0));
  if (last < 0) return "All loss weights are 0, so there is no gradient: drag a bar in the lane L.";
  const into = absolute(back.steps[last].dc_through_o), at = subscript(last + 1), way = back.steps.slice(0, last + 1);
  const before = loss_weights.slice(0, last).filter(row => row.some(value => value !== 0)).length;
  const more = before ? `, and others after ${before} earlier step${before > 1 ? "s" : ""}` : "";
  const first = `The loss weight of h${at} is <b>${number(absolute(loss_weights[last]))}</b>${more}. Through the output gate `
    + `and tanh, <b>${number(into)}</b> of it reaches the memory c${at}.`;
  const ways = shares(way);
  if (!ways.length) return `${first} <b>No gradient at all goes back.</b>`;
  const two = ways.slice(0, 2).filter(([, share]) => share > 0.0005).map(([name, share]) => `${percent(share)} by ${name}`);
  return `${first} At the first step <b>${number(absolute(back.dc_0))}</b> arrives at c₀ and `
    + `<b>${number(absolute(back.dh_0))}</b> at h₀. On average over the steps it goes ${two.join(" and ")}. `
    + narrowest(steps, way);
}

/* The shares of the paths, the largest first: of the gradient a step passes back, averaged over the steps with any. */
function shares(way) {
  const names = { carousel: "the carousel", i: "the input gate", f: "the forget gate", g: "the candidate g",
    o: "the output gate" };
  const sizes = d => ({ carousel: absolute(d.ledger.c.carousel),
    ...Object.fromEntries(GATES.map(k => [k, absolute(d.ledger.h[k])])) });
  const sent = way.map(sizes).filter(size => sum(Object.values(size)) > 0);
  const share = key => sum(sent.map(size => size[key] / sum(Object.values(size)))) / sent.length;
  return sent.length ? Object.keys(names).map(key => [names[key], share(key)]).sort((a, b) => b[1] - a[1]) : [];
}

/* The forget gate that blocks most of the gradient. */
function narrowest(steps, way) {
  const all = way.flatMap((d, t) => d.dc.map((dc, u) => ({ t, u, dc: Math.abs(dc), f: steps[t].f[u] })));
  const blocked = ({ dc, f }) => dc * (1 - f);
  const { t, u, dc, f } = all.reduce((one, two) => blocked(two) > blocked(one) ? two : one);
  if (dc * (1 - f) === 0) return "No forget gate blocks any of it.";
  return `The narrowest place on the carousel is <b>f${subscript(t + 1)} of unit ${u + 1}</b>: open by ${number(f)}, `
    + `it blocks ${number(dc * (1 - f))} of ${number(dc)}.`;
}

/* --- one step in numbers --- */

/* A table of the equations of a step: a name, a formula, and its numbers for each unit. */
function stepInNumbers(t, steps, back, { held, loss_weights }, looks) {
  const s = steps[t], d = back.steps[t];
  const heads = d.dh.map((_, u) => `<th scope="col">unit ${u + 1}</th>`).join("");
  const line = ([name, formula, values, look]) =>
    `<tr><td style="--edge: ${looks[look].colour}">${name}</td><td>${formula}</td>`
    + values.map(value => `<td>${value}</td>`).join("") + "</tr>";
  const part = ([title, lines]) => `<tbody><tr><th colspan="4" scope="rowgroup">${title}</th></tr>`
    + `${lines.map(line).join("")}</tbody>`;
  const parts = [
    [`Forward: step ${t + 1}`, forwardLines(t, s, held[t])],
    [`Backward: step ${t + 1}`, backwardLines(t, s, d, held[t], loss_weights[t])],
    [`The ledger: gradients that step ${t + 1} passes back`, ledgerLines(t, d)],
  ];
  return `<table><thead><tr><td></td><td></td>${heads}</tr></thead>${parts.map(part).join("")}</table>`;
}

const isHeld = value => value === null ? "" : " <em>held</em>";
const all = values => values.map(number);

function forwardLines(t, s, held) {
  const old = subscript(t), now = subscript(t + 1);
  return [
    ...GATES.map(k => [`z_${k}`, "xW + hU + b", all(s[`z_${k}`]), k]),
    ...GATES.map(k => [k, `${k === "g" ? "tanh" : "σ"} z_${k}`, s[k].map((v, u) => number(v) + isHeld(held[k][u])), k]),
    [`c${now}`, `f ∘ c${old} + i ∘ g`, s.c_new.map((c, u) => `${number(s.f[u])} · ${inBrackets(s.c[u])}<br>+ `
      + `${number(s.i[u])} · ${inBrackets(s.g[u])}<br>= ${number(c)}`), "c"],
    [`h${now}`, `o ∘ tanh c${now}`, s.h_new.map((h, u) =>
      `${number(s.o[u])} · ${inBrackets(s.a[u])}<br>= ${number(h)}`), "h"],
  ];
}

function backwardLines(t, s, d, held, loss_weights) {
  const old = subscript(t), now = subscript(t + 1);
  const formulas = { i: "dc ∘ g", f: `dc ∘ c${old}`, g: "dc ∘ i", o: `dh ∘ tanh c${now}` };
  const dgate = { i: d.di, f: d.df, g: d.dg, o: d.do_ };
  return [
    ["dh", "loss weight<br>+ from t + 1", d.dh.map((dh, u) =>
      `${number(loss_weights[u])}<br>+ ${inBrackets(dh - loss_weights[u])}<br>= ${number(dh)}`), "h"],
    ["dc", "dh ∘ o ∘ tanh′c<br>+ from t + 1", d.dc.map((dc, u) =>
      `${number(d.dc_through_o[u])}<br>+ ${inBrackets(d.dc_arrived[u])}<br>= ${number(dc)}`), "c"],
    ...GATES.map(k => [`d${k}`, formulas[k], all(dgate[k]), k]),
    ...GATES.map(k => [`dz_${k}`, k === "g" ? "dg ∘ (1 − g²)" : `d${k} ∘ ${k} (1 − ${k})`,
      d[`dz_${k}`].map((dz, u) => number(dz) + isHeld(held[k][u])), k]),
  ];
}

function ledgerLines(t, d) {
  const old = subscript(t), dh = zeros(d.dh.length).map((_, u) => sum(GATES.map(k => d.ledger.h[k][u])));
  return [
    [`to c${old}`, "carousel: dc ∘ f", all(d.ledger.c.carousel), "carousel"],
    ...GATES.map(k => [`to h${old}`, `${k}: dz_${k} U_${k}ᵀ`, all(d.ledger.h[k]), k]),
    [`to h${old}`, "all four", all(dh), "h"],
  ];
}
