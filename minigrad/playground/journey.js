"use strict";
/* The journey of the gradient: the ribbons appear from the last step to the first, as the backward pass runs.

   `journey.front` is the border that the gradient has reached, in steps: T at the start, 0 at the end, null when the whole
   picture is shown. Where the user prefers reduced motion, the front jumps from step to step. */

const journey = { front: null, playing: false, time: 0 };
const SECONDS = 1.1;   // for each step
const reduced = matchMedia("(prefers-reduced-motion: reduce)");

/* Shows the part of the ribbons that the gradient has passed. */
function showJourney(svg, size) {
  const front = journey.front, x = front === null ? -40 : front * size.column - 12;
  const passed = svg.querySelector("#passed rect"), line = svg.querySelector(".front");
  passed.setAttribute("x", shown([x]));
  passed.setAttribute("width", shown([size.width + 80 - x]));
  passed.setAttribute("height", size.height);
  line.setAttribute("d", front === null ? "" : `M${shown([front * size.column])} 0 V${size.height}`);
  byId("play").textContent = journey.playing ? "❚❚ Pause" : "▶ Play the gradient";
  byId("whole").hidden = front === null;
}

/* What the gradient does in the step that it has just passed. */
function journeyLine(steps, back, loss_weights) {
  const t = Math.ceil(journey.front), now = subscript(t);
  if (t === steps.length)
    return `The gradient starts at h${now}, with loss weight ${number(absolute(loss_weights[t - 1]))}. `
      + `Through o and tanh, ${number(absolute(back.steps[t - 1].dc_through_o))} of it enters c${now}.`;
  const d = back.steps[t], s = steps[t], gates = sum(GATES.map(k => absolute(d.ledger.h[k])));
  const doors = UNITS.map(u => number(s.f[u])).join(" and ");
  return `Step ${t + 1} passes ${number(absolute(d.ledger.c.carousel))} along the carousel to c${now} (its doors are open by `
    + `${doors}) and ${number(gates)} through the gates to h${now}.`;
}

/* Moves the front by whole steps: one more to the left, or from the right end. */
function stepJourney(T) {
  journey.front = journey.front === null || journey.front <= 0 ? T : Math.ceil(journey.front) - 1;
}

/* Plays or pauses; `changed` shows the new front. */
function playJourney(T, changed) {
  journey.playing = !journey.playing;
  if (!journey.playing) { journey.front = Math.floor(journey.front); changed(); return; }
  if (journey.front === null || journey.front <= 0) journey.front = T;
  journey.time = performance.now();
  changed();
  requestAnimationFrame(time => moveJourney(time, changed));
}

function moveJourney(time, changed) {
  if (!journey.playing) return;
  const passed = Math.max(0, time - journey.time) / 1000 / SECONDS;
  if (!reduced.matches || passed >= 1) {
    journey.front = Math.max(0, journey.front - (reduced.matches ? 1 : passed));
    journey.time = time;
    journey.playing = journey.front > 0;
    changed();
  }
  if (journey.playing) requestAnimationFrame(next => moveJourney(next, changed));
}
