"use strict";
/* Builds the page, connects its buttons and sliders, and shows the results: `follow` computes everything again. */

let size = null;   // of the picture
let made = "";     // the sizes for which the handles and tables were made

/* --- building --- */

function legendHTML(key) {
  const texts = { a: "into c, through o and tanh", carousel: "along the carousel, between the doors of f" };
  const dashes = GATES.includes(key)
    ? `<path class="dash" d="M0 7H34" stroke-dasharray="${looks[key].dashes}"/>` : "";
  return `<li><svg viewBox="0 0 34 14" aria-hidden="true"><path d="M0 7H34" stroke="${looks[key].colour}"`
    + ` stroke-opacity=".82" stroke-width="11"/>${dashes}</svg>${texts[key] ?? `through ${key} to h`}</li>`;
}

function build() {
  byId("weights-table").innerHTML = weightsHTML();
  byId("experiments").innerHTML = start.experiments
    .map(one => `<button type="button" data-key="${one.key}">${one.name}</button>`).join("");
  byId("network").innerHTML = start.networks.map(net => `<option value="${net.key}">${net.name}</option>`).join("");
  byId("legend").innerHTML = ["a", "carousel", ...GATES].map(legendHTML).join("");
  Object.assign(byId("T"), { min: SHORTEST, max: LONGEST });
  Object.assign(byId("bias"), { min: BIAS.low, max: BIAS.high });
}

/* Makes what depends on the number of steps and on the width again. */
function makeAgain() {
  const frame = byId("flow-frame");
  size = sizesOf(frame, state.x.length);
  const key = [size.T, size.width, size.row, size.pipe].join();
  if (key === made) return;
  made = key;
  const flow = byId("flow");
  flow.setAttribute("viewBox", [-SIDE, 0, size.width + 2 * SIDE, size.height].join(" "));
  flow.style.width = `${size.width + 2 * SIDE}px`;
  flow.style.height = `${size.height}px`;
  byId("flow-title").textContent = `The paths of the gradient from step ${size.T} back to step 1, as ribbons`;
  byId("picker").innerHTML = "<span>Step</span>" + stepsOf()
    .map(t => `<button type="button" data-step="${t}" aria-label="step ${t + 1}, show its numbers">${t + 1}</button>`).join("");
  makeHandles(flow, size);
  makeTables();
}

/* --- listening --- */

/* Shows the state, and keeps it as one step of undo. */
function done(key) { keep(key); follow(); }

const stopped = () => { training.running = false; forgetTraining(); journey.playing = false; };

function connect() {
  listenToHandles(byId("flow"), follow, done);
  listenToFingers(follow, done);
  listenToWeights(byId("weights-table"), follow, done);
  listenToQuestions(() => { stopped(); done(); });
  const sets = (id, set) => {
    byId(id).addEventListener("input", event => { stopped(); set(event.target.value); follow(); forgetTraining(); });
    byId(id).addEventListener("change", () => done(id));
  };
  sets("network", setNetwork);
  sets("T", value => setSteps(Number(value)));
  sets("bias", value => setForgetBias(Number(value)));
  byId("release").addEventListener("click", () => { state.held = state.x.map(free); done(); });
  byId("experiments").addEventListener("click", ({ target }) => {
    if (!target.dataset.key) return;
    stopped();
    setExperiment(target.dataset.key);
    done();
    forgetTraining();
  });
  byId("held").addEventListener("click", ({ target }) => {
    if (!target.dataset.held) return;
    const [t, k, u] = target.dataset.held.split(" ");
    state.held[t][k][u] = null;
    done();
  });
  for (const id of ["picker", "flow"]) byId(id).addEventListener("click", ({ target }) => {
    if (target.matches("button, .column")) { state.step = Number(target.dataset.step); done(); }
  });
  byId("train").addEventListener("click", () => toggleTraining(follow, done));
  byId("fresh").addEventListener("click", () => { stopped(); setNetwork("fresh"); done(); forgetTraining(); });
  connectJourney();
  connectTabs();
  connectHistory();
  connectScheme();
  new ResizeObserver(follow).observe(byId("flow-frame"));
}

function connectJourney() {
  const changed = () => { showJourney(byId("flow"), size); showCaption(compute()); };
  byId("play").addEventListener("click", () => playJourney(state.x.length, changed));
  byId("one-step").addEventListener("click", () => { journey.playing = false; stepJourney(state.x.length); changed(); });
  byId("whole").addEventListener("click", () => {
    Object.assign(journey, { front: null, playing: false });
    changed();
    byId("play").focus();
  });
}

const tabs = () => [...byId("tabs").querySelectorAll("[role=tab]")];

function showTab(name) {
  document.body.dataset.tab = name;
  for (const tab of tabs()) {
    const chosen = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
}

function connectTabs() {
  const choose = tab => {
    showTab(tab.dataset.tab);
    framing.set("tab", tab.dataset.tab);
    showAddress(written());
    if (tab.dataset.tab === "predict" && !asked.revealed) ask(asked.n, () => { stopped(); done(); });
  };
  byId("tabs").addEventListener("click", ({ target }) => { if (target.dataset.tab) choose(target); });
  byId("tabs").addEventListener("keydown", event => {
    const all = tabs(), at = all.indexOf(event.target), by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const next = all[(at + by + all.length) % all.length];
    next.focus();
    choose(next);
    event.preventDefault();
  });
}

function connectHistory() {
  const back = by => {
    if (training.running) endTraining(done);   // what it has learnt is a step of undo too
    stopped();
    if (goBack(by)) { follow(); forgetTraining(); }
  };
  byId("undo").addEventListener("click", () => back(-1));
  byId("redo").addEventListener("click", () => back(1));
  addEventListener("keydown", event => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase(), by = key === "y" || (key === "z" && event.shiftKey) ? 1 : key === "z" ? -1 : 0;
    if (by) { back(by); event.preventDefault(); }
  });
  addEventListener("hashchange", () => { stopped(); readAddress(); forgetTraining(); });
}

function setScheme(scheme) {
  document.documentElement.dataset.scheme = scheme;
  byId("scheme").setAttribute("aria-pressed", isDark());
}

const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.scheme ?? (system.matches ? "dark" : "light")) === "dark";

/* The system's scheme, until the user or the page around chooses one: postMessage({ scheme: "dark" }). */
function connectScheme() {
  byId("scheme").addEventListener("click", () => {
    setScheme(isDark() ? "light" : "dark");
    framing.delete("scheme");
    showAddress(written());
  });
  byId("scheme").setAttribute("aria-pressed", isDark());
  system.addEventListener("change", () => byId("scheme").setAttribute("aria-pressed", isDark()));
  addEventListener("message", ({ data }) => { if (["light", "dark"].includes(data?.scheme)) setScheme(data.scheme); });
}

/* --- the address --- */

/* Sets the page from its address; says which parts of it cannot be read. An address without a state, such as
   #embed&scheme=dark, leaves the state as it is. */
function readAddress() {
  const text = location.hash.slice(1), parts = new URLSearchParams(text);
  const wrong = [...parts.keys()].every(part => FRAMING.includes(part)) ? [] : read(text), search = new URLSearchParams(location.search);
  const choose = (name, values, set) => {
    const value = parts.get(name) ?? search.get(name);
    if (value === null) return;
    if (values.includes(value)) { framing.set(name, value); set(value); }
    else wrong.push(`In the address, ${name}=${value.slice(0, 20)} is none of ${values.join(", ")}: it is left out.`);
  };
  choose("scheme", ["light", "dark"], setScheme);
  choose("tab", tabs().map(tab => tab.dataset.tab), showTab);
  if (parts.has("embed")) framing.set("embed", "");
  document.body.classList.toggle("embed", parts.has("embed") || search.has("embed"));
  if (parts.get("tab") === "predict" && !parts.has("try")) setExperiment(start.questions[0].before);
  byId("wrong").hidden = !wrong.length;
  byId("wrong").textContent = wrong.slice(0, 4).join(" ");
  done();
}

/* --- showing --- */

function showHeld() {
  const all = heldPlaces(state.held);
  const chip = ([t, k, u]) => `<button type="button" data-held="${t} ${k} ${u}"`
    + ` aria-label="release ${k}, step ${t + 1}, unit ${u + 1}">${k}${subscript(t + 1)} of unit ${u + 1} = `
    + `${number(state.held[t][k][u])} ×</button>`;
  const places = stepsOf().flatMap(t => GATES.flatMap(k => UNITS.map(u => [t, k, u])))
    .filter(([t, k, u]) => state.held[t][k][u] !== null);
  byId("release").hidden = !all.length;
  byId("held").innerHTML = !all.length ? "You hold no gate."
    : all.length > 4 ? `You hold ${all.length} gates.` : `You hold ${places.map(chip).join(" ")}`;
}

function showCaption({ steps, back }) {
  byId("caption").textContent = journey.front === null ? "" : journeyLine(steps, back, state.loss_weights);
}

function showControls() {
  byId("text").textContent = experimentOf(state.experiment).text;
  byId("network").value = state.network;
  byId("about").textContent = networkOf(state.network).text;
  const bias = forgetBias();
  byId("T").value = byId("T-value").textContent = state.x.length;
  byId("bias").value = bias;
  byId("bias-value").textContent = number(bias);
  byId("bias").setAttribute("aria-valuetext", number(bias));
  byId("whole-page").href = `?#${written()}`;
  byId("undo").disabled = past.at <= 0;
  byId("redo").disabled = past.at >= past.texts.length - 1;
}

function follow() {
  makeAgain();
  const now = compute(), pressed = (button, yes) => button.setAttribute("aria-pressed", yes);
  if (journey.front > size.T) journey.front = size.T;
  bars.forEach(one => showBar(one, now));
  handles.forEach(handle => showHandle(handle, now));
  showFingers(now);
  const widest = drawFlow(byId("flow"), size, now.steps, now.back, state.step);
  showJourney(byId("flow"), size);
  showCaption(now);
  byId("story").innerHTML = `${story(now.steps, now.back, state.loss_weights)} The widest ribbon is ${number(widest)}.`;
  byId("lines").innerHTML = stepInNumbers(state.step, now.steps, now.back, state, looks);
  showHeld();
  showControls();
  for (const button of byId("experiments").children) pressed(button, button.dataset.key === state.experiment);
  for (const button of byId("picker").querySelectorAll("button")) pressed(button, Number(button.dataset.step) === state.step);
  for (const cell of document.querySelectorAll("td[data-step], th[data-step]"))
    cell.classList.toggle("chosen", Number(cell.dataset.step) === state.step);
}

/* Compares this browser's numbers with minigrad's numbers in the file: of the first picture, and of training. */
function compare() {
  const kept = copied(state), at = (object, path) => path.split(".").reduce((part, name) => part[name], object);
  setExperiment(start.experiments[0].key);
  const now = compute(), differences = Object.entries(start.expected).flatMap(([path, steps]) =>
    steps.flatMap((row, t) => row.map((value, u) => Math.abs(value - at({ ...now.steps[t], ...now.back.steps[t] }, path)[u]))));
  const { network, losses, W, U, b } = start.descended;
  setNetwork(network);
  Object.assign(training, { step: 0, v: atRest(state.weights), losses: [] });
  trainSteps(losses.length);
  const trained = elementwise((a, b) => Math.abs(a - b), [training.losses, state.weights.W, state.weights.U, state.weights.b],
    [losses, W, U, b]).flat(2);
  Object.assign(training, { step: 0, losses: [] });
  Object.assign(state, kept);
  const largest = Math.max(...differences, ...trained);
  byId("agreement").textContent = largest < 1e-12
    ? `The ${differences.length} numbers of the first picture and the ${trained.length} of ${losses.length} steps of training, `
      + "computed here, are minigrad's to within 10⁻¹²."
    : `The numbers computed here differ from minigrad's by ${number(largest)}: do not trust this page.`;
}

build();
setExperiment(start.experiments[0].key);
compare();
connect();
showTab("numbers");
readAddress();
forgetTraining();
