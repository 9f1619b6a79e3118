"use strict";
/* The state in the page's address, after the #, and the steps of undo and redo, which are such texts.

     try=cut              the experiment; a part that is left out is the experiment's
     T=8  step=6          the number of steps, and the one shown in numbers
     net=fresh            the network, and with W=… U=… b=… x=… (row by row) other weights and inputs
     hold=f6.1:0          gates held: gate, step, unit, value;   hold=none: none
     loss=8.1:1           loss weights: step, unit, value

   For a page in a frame: embed (the short page), scheme=dark or light, tab=train, weights, predict or numbers.

   `written` and `read` are each other's inverse: numbers are written with all their digits. A part that cannot be read is
   left at its default, and a sentence says so. */

const FRAMING = ["embed", "scheme", "tab"];
const PARTS = ["try", "T", "step", "net", "W", "U", "b", "x", "hold", "loss", ...FRAMING];

const placesOf = rows => rows.flatMap((row, t) => row.flatMap((v, u) => v ? [`${t + 1}.${u + 1}:${v}`] : []));
const heldPlaces = held => held.flatMap((row, t) => GATES.flatMap(k =>
  row[k].flatMap((v, u) => v === null ? [] : [`${k}${t + 1}.${u + 1}:${v}`])));
const listed = places => places.join() || "none";

/* The parts of a state that can differ from its experiment. */
function partsOf({ x, step, network, weights, held, loss_weights }) {
  const { W, U, b } = weights;
  return { T: x.length, step: step + 1, net: network, W: W.flat().join(), U: U.flat().join(), b: b.join(),
    x: x.flat().join(), hold: listed(heldPlaces(held)), loss: listed(placesOf(loss_weights)) };
}

/* The state as text. */
function written() {
  const now = partsOf(state), kept = copied(state);
  setExperiment(kept.experiment);
  setSteps(kept.x.length);
  const usual = { ...partsOf(state), T: start.x.length };
  if (now.net !== usual.net) { setNetwork(now.net); Object.assign(usual, weightParts()); }
  Object.assign(state, kept);
  const other = Object.keys(now).filter(part => now[part] !== usual[part]);
  return [`try=${state.experiment}`, ...other.map(part => `${part}=${now[part]}`)].join("&");
}

const weightParts = () => { const { W, U, b } = partsOf(state); return { W, U, b }; };

/* Sets the state from a text, and returns sentences about the parts that cannot be read. */
function read(text) {
  const parts = new URLSearchParams(text), wrong = [];
  const known = [...new Set(parts.keys())].filter(name => PARTS.includes(name) || !wrong.push(
    `The address has a part “${name.slice(0, 20)}”, which this page does not know: it is left out.`));
  const part = (name, fits, expected, set) => {
    if (!known.includes(name)) return;
    const value = parts.get(name);
    if (fits(value)) set(value);
    else wrong.push(`In the address, ${name}=${value.length > 24 ? value.slice(0, 24) + "…" : value} is not ${expected}: `
      + "the page shows the default.");
  };
  const whole = (low, high) => value => /^\d{1,4}$/.test(value) && Number(value) >= low && Number(value) <= high;
  const keys = all => `one of ${all.map(one => one.key).join(", ")}`;
  setExperiment(start.experiments[0].key);
  part("try", experimentOf, keys(start.experiments), setExperiment);
  part("T", whole(SHORTEST, LONGEST), `a whole number from ${SHORTEST} to ${LONGEST}`, v => setSteps(Number(v)));
  part("net", networkOf, keys(start.networks), setNetwork);
  for (const name of ["W", "U", "b"]) numbersPart(part, name, state.weights, "weights");
  numbersPart(part, "x", state, "x");
  readPlaces(part);
  part("step", whole(1, state.x.length), `a step from 1 to ${state.x.length}`, v => { state.step = v - 1; });
  return wrong;
}

/* A number as text, within limits. */
function fitsLimits(text, name) {
  const [low, high] = LIMITS[name], value = Number(text);
  return /^-?\d+(\.\d+)?(e-?\d+)?$/.test(text) && value >= low && value <= high;
}

/* A list of numbers that replaces owner[name], a matrix or a vector. */
function numbersPart(part, name, owner, limits) {
  const count = owner[name].flat().length, width = owner[name][0].length;
  const fits = text => { const all = text.split(","); return all.length === count && all.every(v => fitsLimits(v, limits)); };
  part(name, fits, `${count} numbers from ${LIMITS[limits].join(" to ")}`, text => {
    const all = text.split(",").map(Number);
    owner[name] = width ? owner[name].map((_, n) => all.slice(n * width, (n + 1) * width)) : all;
  });
}

/* Held gates and loss weights. */
function readPlaces(part) {
  const T = state.x.length;
  const splitted = text => text === "none" ? [] : text.split(",").map(place => /^([ifgo]?)(\d+)\.(\d+):(.+)$/.exec(place));
  const there = found => found && found[2] >= 1 && found[2] <= T && found[3] >= 1 && found[3] <= units;
  const fits = gates => text => splitted(text).every(found =>
    there(found) && Boolean(found[1]) === gates && fitsLimits(found[4], gates ? found[1] : "loss"));
  const set = (text, put) => splitted(text).forEach(([, k, t, u, value]) => put(t - 1, k, u - 1, Number(value)));
  part("hold", fits(true), "a list of gates such as f6.1:0 (gate, step, unit, value)", text => {
    state.held = state.x.map(free);
    set(text, (t, k, u, value) => { state.held[t][k][u] = value; });
  });
  part("loss", fits(false), `a list of loss weights such as ${T}.1:1 (step, unit, value)`, text => {
    state.loss_weights = state.x.map(() => zeros(units));
    set(text, (t, k, u, value) => { state.loss_weights[t][u] = value; });
  });
}

/* --- undo and redo --- */

const past = { texts: [], at: -1, key: "", time: 0 };

/* Keeps the state, as one step of undo. Presses of keys on one handle, within a second, are one step. */
function keep(key = "") {
  const text = written(), time = Date.now();
  if (text === past.texts[past.at]) return;
  const again = key && key === past.key && time - past.time < 1000 && past.at > 0;
  past.texts.splice(again ? past.at : past.at + 1, Infinity, text);
  Object.assign(past, { at: past.texts.length - 1, key, time });
  showAddress(text);
}

/* Goes back (−1) or forward (+1) in time; returns whether there was such a step. */
function goBack(by) {
  if (!(past.at + by in past.texts)) return false;
  Object.assign(past, { at: past.at + by, key: "" });
  read(past.texts[past.at]);
  showAddress(past.texts[past.at]);
  return true;
}

const framing = new URLSearchParams();   // embed, scheme and tab: they stay in the address, and undo leaves them

function showAddress(text) {
  const address = `#${[text, ...[...framing].map(([name, value]) => value ? `${name}=${value}` : name)].join("&")}`;
  if (location.hash === address) return;
  try {
    history.replaceState(null, "", address);
  } catch (error) {   // a browser that limits the number of changes: the next one is written again
    if (error.name !== "SecurityError") throw error;
  }
}
