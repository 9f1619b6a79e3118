"use strict";
/* One LSTM, forward and backward, in plain numbers.

   The letters are those of minigrad/recurrent/lstm_step.py, and so is the derivation; that file computes whole
   batches, this one computes one sequence, unit by unit, with loops to read. Time t counts from 0 here.

     x[t][n]          the inputs                       h_0[u], c_0[u]   the state before the first step
     W[n][column]     from input n                     held[t][k][u]    a number: gate k is held at it,
     U[m][column]     from unit m of the old h                          null: the gate computes its value
     b[column]        columns: i, f, g, o of all units

   A gate that is held is a constant. It has a gradient of its own, df for example, which says what the loss gains when
   the gate is dragged; but nothing goes on from there to its pre-activation: dz_f = 0, and so nothing to x, h and the
   weights by way of it. */

const GATES = ["i", "f", "g", "o"];

const columnOf = (k, u, units) => GATES.indexOf(k) * units + u;
const zeros = n => Array(n).fill(0);
const zerosLike = matrix => matrix.map(row => zeros(row.length));
const sum = values => values.reduce((total, value) => total + value, 0);

/* σ(z) = 1 / (1 + e⁻ᶻ), computed from e^(−|z|), which cannot overflow. */
function sigmoid(z) {
  const e = Math.exp(-Math.abs(z));
  return (z >= 0 ? 1 : e) / (1 + e);
}

/* φ and σ, and their slopes told from their outputs: tanh′ = 1 − y², σ′ = y (1 − y). */
const activate = (k, z) => k === "g" ? Math.tanh(z) : sigmoid(z);
const slope = (k, y) => k === "g" ? 1 - y * y : y * (1 - y);

/* Forward. Returns for each step what it read (h, c), its pre-activations z_k, its gates, and a, c_new, h_new. */
function forward({ W, U, b }, x, held, h_0, c_0) {
  const units = h_0.length, steps = [];
  let h = h_0, c = c_0;
  for (let t = 0; t < x.length; t++) {
    const s = { h, c, c_new: [], a: [], h_new: [] };
    for (const k of GATES) {
      // z = x W + b + h U;   i = σ(z_i)   f = σ(z_f)   g = tanh z_g   o = σ(z_o)
      s["z_" + k] = h.map((_, u) => {
        const column = columnOf(k, u, units);
        const xW = sum(x[t].map((x_n, n) => x_n * W[n][column])), hU = sum(h.map((h_m, m) => h_m * U[m][column]));
        return xW + b[column] + hU;
      });
      s[k] = s["z_" + k].map((z, u) => held[t][k][u] ?? activate(k, z));
    }
    for (let u = 0; u < units; u++) {
      s.c_new[u] = s.f[u] * c[u] + s.i[u] * s.g[u];   // c_new = f ∘ c + i ∘ g: the carousel
      s.a[u] = Math.tanh(s.c_new[u]);                 // a     = tanh c_new
      s.h_new[u] = s.o[u] * s.a[u];                   // h_new = o ∘ a
    }
    steps.push(s);
    h = s.h_new;
    c = s.c_new;
  }
  return steps;
}

/* Backward. asked[t][u] is what the loss itself asks of h after step t, dc_T of c at the end. Returns

     steps[t]: dh          ∂loss/∂h_new: what the loss asks, and what step t + 1 sent back
               dc_arrived  what step t + 1 sent back to c_new;   dc_through_o: what came through h_new = o ∘ a
               dc          ∂loss/∂c_new: the sum of the two
               di df dg do_   of the gates;   dz_i … dz_o   of their pre-activations;   dx
               ledger      what goes back to the step before, by the way it takes:
                           to c: carousel;   to h: through i, f, g and o
     dW, dU, db, dh_0, dc_0. */
function backward({ W, U, b }, x, held, steps, asked, dc_T) {
  const units = dc_T.length, back = [];
  const dW = zerosLike(W), dU = zerosLike(U), db = zeros(b.length);
  let dh_back = zeros(units), dc_back = dc_T;
  for (let t = x.length - 1; t >= 0; t--) {
    const s = steps[t], d = stepBackward(s, held[t], asked[t].map((v, u) => v + dh_back[u]), dc_back);
    d.ledger = { c: { carousel: d.dc.map((dc, u) => dc * s.f[u]) }, h: {} };   // dc ∘ f
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

/* One step back, from ∂loss/∂h_new and what came along c, to the gates: the lines of the forward step read upwards. */
function stepBackward(s, held, dh, dc_arrived) {
  const d = { dh, dc_arrived };
  d.dc_through_o = dh.map((dh_u, u) => dh_u * s.o[u] * (1 - s.a[u] * s.a[u]));   // dh ∘ o ∘ tanh′(c_new)
  d.dc = dc_arrived.map((dc_u, u) => dc_u + d.dc_through_o[u]);
  d.di = d.dc.map((dc_u, u) => dc_u * s.g[u]);        // of c_new = f ∘ c + i ∘ g
  d.df = d.dc.map((dc_u, u) => dc_u * s.c[u]);
  d.dg = d.dc.map((dc_u, u) => dc_u * s.i[u]);
  d.do_ = dh.map((dh_u, u) => dh_u * s.a[u]);         // of h_new = o ∘ a; `do` is a word of JavaScript's
  const dgate = { i: d.di, f: d.df, g: d.dg, o: d.do_ };
  for (const k of GATES)
    d["dz_" + k] = dgate[k].map((dk, u) => held[k][u] === null ? dk * slope(k, s[k][u]) : 0);
  return d;
}
