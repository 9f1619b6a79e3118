"use strict";
/* One LSTM, forward and backward, in plain numbers.

   The equations are those of minigrad/recurrent/lstm.py: `forwardStep` and `backwardStep` are made from that file
   (`python -m minigrad show lstm --as js`). This file has the products, as plain loops. Time t counts from 0.

     x[t][n]          the inputs                       h_0[u], c_0[u]   the state before the first step
     W[n][column]     from input n                     held[t][k][u]    a number: gate k is held at it,
     U[m][column]     from unit m of the old h                          null: the gate computes its value
     b[column]        columns: i, f, g, o of all units

   A held gate is a constant. It has a gradient, df for example, the change of the loss when the gate is dragged. But none
   flows to its pre-activation: dz_f = 0, so none reaches x, h and the weights through it. */

const GATES = ["i", "f", "g", "o"];

const columnOf = (k, u, units) => GATES.indexOf(k) * units + u;
const zeros = n => Array(n).fill(0);
const zerosLike = matrix => matrix.map(row => zeros(row.length));
const sum = values => values.reduce((total, value) => total + value, 0);

/* The numbers of unit u from arrays by name, and the reverse. */
const unit = (arrays, u) => Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, values[u]]));
function put(arrays, u, numbers) {
  for (const [name, value] of Object.entries(numbers)) (arrays[name] ??= [])[u] = value;
}

/* Forward. Returns for each step its state (h, c), its pre-activations z_k, its gates, and a, c_new, h_new. */
function forward({ W, U, b }, x, held, h_0, c_0) {
  const units = h_0.length, steps = [];
  let h = h_0, c = c_0;
  for (let t = 0; t < x.length; t++) {
    const s = { h, c };
    for (const k of GATES)
      s["z_" + k] = h.map((_, u) => {                 // z = x W + b + h U
        const column = columnOf(k, u, units);
        const xW = sum(x[t].map((x_n, n) => x_n * W[n][column])), hU = sum(h.map((h_m, m) => h_m * U[m][column]));
        return xW + b[column] + hU;
      });
    for (let u = 0; u < units; u++)
      put(s, u, forwardStep(unit(s, u), unit(held[t], u)));
    steps.push(s);
    h = s.h_new;
    c = s.c_new;
  }
  return steps;
}

/* Backward. loss_weights[t][u] is ∂loss/∂h after step t without later steps, dc_T is ∂loss/∂c at the end. Returns

     steps[t]: dh          ∂loss/∂h_new: the loss weight plus the gradient from step t + 1
               dc_arrived  gradient of c_new from step t + 1;   dc_through_o: gradient through h_new = o ∘ a
               dc          ∂loss/∂c_new: the sum of the two
               di df dg do_   of the gates;   dz_i … dz_o   of their pre-activations;   dx
               ledger      gradients passed to the step before, by path:
                           to c: carousel;   to h: through i, f, g and o
     dW, dU, db, dh_0, dc_0. */
function backward({ W, U, b }, x, held, steps, loss_weights, dc_T) {
  const units = dc_T.length, back = [];
  const dW = zerosLike(W), dU = zerosLike(U), db = zeros(b.length);
  let dh_back = zeros(units), dc_back = dc_T;
  for (let t = x.length - 1; t >= 0; t--) {
    const s = steps[t], d = stepBackward(s, held[t], loss_weights[t].map((v, u) => v + dh_back[u]), dc_back);
    d.ledger = { c: { carousel: d.dc_ }, h: {} };           // dc f
    d.dx = zeros(x[t].length);
    for (const k of GATES) {
      d.ledger.h[k] = zeros(units);
      for (let u = 0; u < units; u++) {
        const column = columnOf(k, u, units), dz = d["dz_" + k][u];
        for (let m = 0; m < units; m++) {
          d.ledger.h[k][m] += dz * U[m][column];      // dz_k U_kᵀ
          dU[m][column] += dz * s.h[m];               // dU = hᵀ dz, summed over the steps
        }
        for (let n = 0; n < x[t].length; n++) {
          d.dx[n] += dz * W[n][column];               // dx = dz Wᵀ
          dW[n][column] += dz * x[t][n];              // dW = xᵀ dz
        }
        db[column] += dz;                             // db = Σ dz
      }
    }
    dc_back = d.ledger.c.carousel;                    // to c of the step before: the carousel alone
    dh_back = zeros(units).map((_, m) => sum(GATES.map(k => d.ledger.h[k][m])));   // to h: all four gates
    back[t] = d;
  }
  return { steps: back, dW, dU, db, dh_0: dh_back, dc_0: dc_back };
}

/* The backward pass of one step, from ∂loss/∂h_new and the gradient along c, to the gates. */
function stepBackward(s, held, dh, dc_arrived) {
  const d = { dh, dc_arrived };
  for (let u = 0; u < dh.length; u++) {
    const back = backwardStep({ ...unit(s, u), dh: dh[u], dc: dc_arrived[u] }, unit(held, u));
    put(d, u, { ...back, dc: back.dc_2, dc_through_o: dphi(dh[u] * s.o[u], s.a[u]) });   // dh o φ′(c_new)
  }
  return d;
}
