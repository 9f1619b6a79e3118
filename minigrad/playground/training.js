"use strict";
/* Gradient descent on the batch of the page, in plain numbers. The equations are those of lstm.js.

   L is the mean of (h − y)² over the sequences and units, as minigrad's "mse"; the update is that of SGD with momentum:

     v ← momentum v − rate dW,   W ← W + v      and so for U and b */

/* The sequences of T steps, and their targets: 0.8 of the marked value, and 0.8 of the last. */
function batchOf({ values, places }, T) {
  return values.map((row, n) => {
    const marked = Math.floor(places[n] * T);
    return { x: row.slice(0, T).map((value, t) => [value, t === marked ? 1 : 0]),
      y: [0.8 * row[marked], 0.8 * row[T - 1]] };
  });
}

/* f of numbers, or element by element of vectors and matrices. */
const elementwise = (f, ...arrays) => Array.isArray(arrays[0])
  ? arrays[0].map((_, n) => elementwise(f, ...arrays.map(array => array[n]))) : f(...arrays);

/* The loss of the batch, and its gradient. */
function lossOf(weights, batch, held) {
  const count = batch.length * units, zero = zeros(units), gradient = { W: zerosLike(weights.W), U: zerosLike(weights.U),
    b: zeros(weights.b.length) };
  let loss = 0;
  for (const { x, y } of batch) {
    const steps = forward(weights, x, held, zero, zero), error = steps.at(-1).h_new.map((h, u) => h - y[u]);
    const loss_weights = x.map((_, t) => t === x.length - 1 ? error.map(e => 2 * e / count) : zero);   // ∂L/∂h
    const back = backward(weights, x, held, steps, loss_weights, zero);
    loss += sum(error.map(e => e * e)) / count;
    for (const key of ["W", "U", "b"]) gradient[key] = elementwise((a, b) => a + b, gradient[key], back[`d${key}`]);
  }
  return { loss, gradient };
}

/* The velocity at the start. */
const atRest = weights => Object.fromEntries(Object.entries(weights).map(([key, w]) => [key, elementwise(() => 0, w)]));

/* One step of descent. Returns the loss before it, the new weights and the new velocity v. */
function descend(weights, v, batch, held, { rate, momentum }) {
  const { loss, gradient } = lossOf(weights, batch, held), next = { loss, weights: {}, v: {} };
  for (const key of ["W", "U", "b"]) {
    next.v[key] = elementwise((v, dw) => momentum * v - rate * dw, v[key], gradient[key]);
    next.weights[key] = elementwise((w, v) => w + v, weights[key], next.v[key]);
  }
  return next;
}
