"use strict";
/* The panels beside the picture: "predict, then reveal", and the training. */

/* --- predict, then reveal --- */

const asked = { n: 0, choice: null, revealed: false };

function questionHTML() {
  const { text, choices, right, answer } = start.questions[asked.n], { choice, revealed } = asked;
  const mark = m => !revealed ? "" : m === right ? " ✓" : m === choice ? " ✗" : "";
  const options = choices.map((one, m) => `<label><input type="radio" name="choice" value="${m}"`
    + `${m === choice ? " checked" : ""}${revealed ? " disabled" : ""}> ${one}<b>${mark(m)}</b></label>`);
  const said = choice === null ? "" : choice === right ? "Right. " : `You said “${choices[choice]}”; it is “${choices[right]}”. `;
  return `<fieldset><legend>Question ${asked.n + 1} of ${start.questions.length}</legend><p>${text}</p>${options.join("")}</fieldset>`
    + (revealed ? `<p class="answer" role="status">${said}${answer} The picture shows it now.</p>` : "")
    + `<p class="buttons"><button type="button" id="reveal"${choice === null || revealed ? " disabled" : ""}>Reveal</button>`
    + `<button type="button" id="next-question">${asked.n + 1 < start.questions.length ? "Next question" : "From the first"}</button></p>`;
}

const showQuestion = () => { byId("question").innerHTML = questionHTML(); };

/* Shows question n, with its experiment. */
function ask(n, done) {
  Object.assign(asked, { n, choice: null, revealed: false });
  setExperiment(start.questions[n].before);
  showQuestion();
  done();
}

function listenToQuestions(done) {
  const panel = byId("question");
  panel.addEventListener("change", ({ target }) => {
    asked.choice = Number(target.value);
    showQuestion();
    panel.querySelector(":checked").focus();
  });
  panel.addEventListener("click", ({ target }) => {
    if (target.id === "next-question") {
      ask((asked.n + 1) % start.questions.length, done);
      panel.querySelector("input").focus({ preventScroll: true });
    }
    if (target.id !== "reveal") return;
    asked.revealed = true;
    setExperiment(start.questions[asked.n].after);
    showQuestion();
    byId("next-question").focus({ preventScroll: true });
    done();
  });
  showQuestion();
}

/* --- training --- */

const DESCENT = 100;   // steps of one training
const training = { running: false, step: 0, v: null, losses: [], of: null };

const lossNow = () => lossOf(state.weights, batchOf(start.task, state.x.length), state.held).loss;

/* Starts or stops. Two steps a frame; where the user prefers reduced motion, the picture changes every 25 steps. */
function toggleTraining(changed, done) {
  if (training.running) return endTraining(done);
  Object.assign(training, { running: true, step: 0, v: atRest(state.weights), losses: [] });
  requestAnimationFrame(() => trainOn(changed, done));
}

function endTraining(done) {
  training.running = false;
  showTraining(`after ${training.step} steps`);
  done();
}

function trainOn(changed, done) {
  if (!training.running) return;
  trainSteps(reduced.matches ? 25 : 2);
  if (training.step >= DESCENT) { endTraining(done); return; }
  changed();
  showTraining(`step ${training.step} of ${DESCENT}`);
  if (reduced.matches) setTimeout(() => trainOn(changed, done), 700);
  else requestAnimationFrame(() => trainOn(changed, done));
}

/* Runs steps of gradient descent on the state's weights. */
function trainSteps(count) {
  const batch = batchOf(start.task, state.x.length);
  for (let n = 0; n < count && training.step < DESCENT; n++) {
    const { loss, weights, v } = descend(state.weights, training.v, batch, state.held, start.task);
    state.weights = weights;
    training.losses.push(loss);
    Object.assign(training, { v, step: training.step + 1 });
  }
}

/* Shows the loss as a curve and as a number. */
function showTraining(when) {
  const { losses, running } = training, high = Math.max(...losses, 1e-9);
  const points = losses.map((loss, n) => shown([(n + 0.5) * 300 / DESCENT, 68 - 62 * loss / high]).replace(" ", ","));
  byId("train").textContent = running ? "Stop" : `Train ${DESCENT} steps`;
  byId("curve").setAttribute("points", points.join(" "));
  byId("curve-title").textContent = losses.length
    ? `The loss over the steps, from ${number(losses[0])} to ${number(losses.at(-1))}` : "The loss over the steps: not trained yet";
  const first = losses.length ? `, from ${number(losses[0])}` : "";
  byId("loss-now").textContent = `Loss ${when}: ${number(lossNow())}${first}.`;
}

/* After another change of the weights: the curve belongs to weights that are gone. */
function forgetTraining() {
  if (training.running) return;
  training.losses = [];
  showTraining("now");
}
