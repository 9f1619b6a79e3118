"""CUDA source of the recurrent loops' elementwise kernels: one launch for all that a step does besides its products.

Every kernel is one thread for each (row, unit). `real` is float or double, `SIGMA` and its derivative the gates'
activation; both are set by the compiler's options. Arrays of gates are (batch, gates · units), all others (batch,
units). `live` is the step's row of the mask, or null: where it is false the row rests, keeps its state, and its
gradient passes it by.

The letters are those of `minigrad.recurrent`'s formulas.
"""

from __future__ import annotations

PRELUDE = """
#ifdef HARD
__device__ real sigma(real s) { return fmin(fmax((real)0.2 * s + (real)0.5, (real)0), (real)1); }
__device__ real slope(real y) { return y > 0 && y < 1 ? (real)0.2 : (real)0; }  // sigma', told from y = sigma(s)
#else
__device__ real sigma(real s) { return 1 / (1 + exp(-s)); }
__device__ real slope(real y) { return y * (1 - y); }
#endif

// Unit n % H of row n / H. In an array of several gates the gates of a row follow one another, H numbers each.
#define GATE_0(gates) (gates * H * (n / H) + n % H)

#define FOR_EACH_UNIT \\
    int n = blockIdx.x * blockDim.x + threadIdx.x; \\
    if (n >= B * H) return; \\
    bool rests = live && !live[n / H];
"""

LSTM = """
// z = x W + b + h U, columns i, f, g, o; replaced by the gates.
extern "C" __global__ void forward(
    real* z, const real* h, const real* c, real* h_new, real* c_new, const bool* live, int B, int H)
{
    FOR_EACH_UNIT
    real* s = z + GATE_0(4);
    real i = sigma(s[0]), f = sigma(s[H]), g = tanh(s[2 * H]), o = sigma(s[3 * H]);
    s[0] = i;  s[H] = f;  s[2 * H] = g;  s[3 * H] = o;
    real c_n = f * c[n] + i * g;
    c_new[n] = rests ? c[n] : c_n;
    h_new[n] = rests ? h[n] : o * tanh(c_n);
}

// dh: of h_new. dc: in, of c_new; out, of c. ds: of z. dh_before: what of dh goes past the gates is added to it.
extern "C" __global__ void backward(
    const real* gates, const real* c, const real* c_new, const real* dh, real* dc, real* ds, real* dh_before,
    const bool* live, int B, int H)
{
    FOR_EACH_UNIT
    const real* y = gates + GATE_0(4);
    real* d = ds + GATE_0(4);
    if (rests) { d[0] = d[H] = d[2 * H] = d[3 * H] = 0;  dh_before[n] += dh[n];  return; }
    real i = y[0], f = y[H], g = y[2 * H], o = y[3 * H], tanh_c = tanh(c_new[n]);
    real dc_n = dc[n] + dh[n] * o * (1 - tanh_c * tanh_c);
    d[0] = dc_n * g * slope(i);
    d[H] = dc_n * c[n] * slope(f);
    d[2 * H] = dc_n * i * (1 - g * g);
    d[3 * H] = dh[n] * tanh_c * slope(o);
    dc[n] = dc_n * f;
}
"""

GRU = """
// z = x W + b and k = h U + b_h, columns z, r, g; z is replaced by the gates, of k the last third is kept.
extern "C" __global__ void forward(
    real* z, const real* k, const real* h, real* h_new, const bool* live, int B, int H)
{
    FOR_EACH_UNIT
    real* s = z + GATE_0(3);
    const real* h_U = k + GATE_0(3);
    real u = sigma(s[0] + h_U[0]), r = sigma(s[H] + h_U[H]), g = tanh(s[2 * H] + r * h_U[2 * H]);
    s[0] = u;  s[H] = r;  s[2 * H] = g;
    h_new[n] = rests ? h[n] : u * h[n] + (1 - u) * g;
}

// ds: of z; dk: of k.
extern "C" __global__ void backward(
    const real* gates, const real* k, const real* h, const real* dh, real* ds, real* dk, real* dh_before,
    const bool* live, int B, int H)
{
    FOR_EACH_UNIT
    const real *y = gates + GATE_0(3), *h_U = k + GATE_0(3);
    real *d = ds + GATE_0(3), *d_k = dk + GATE_0(3);
    if (rests) {
        d[0] = d[H] = d[2 * H] = d_k[0] = d_k[H] = d_k[2 * H] = 0;
        dh_before[n] += dh[n];
        return;
    }
    real u = y[0], r = y[H], g = y[2 * H];
    real ds_g = dh[n] * (1 - u) * (1 - g * g);
    d[0] = d_k[0] = dh[n] * (h[n] - g) * slope(u);
    d[H] = d_k[H] = ds_g * h_U[2 * H] * slope(r);
    d[2 * H] = ds_g;
    d_k[2 * H] = ds_g * r;
    dh_before[n] += dh[n] * u;
}
"""

SIMPLE_RNN = """
// z = x W + b + h U
extern "C" __global__ void forward(const real* z, const real* h, real* h_new, const bool* live, int B, int H)
{
    FOR_EACH_UNIT
    h_new[n] = rests ? h[n] : tanh(z[n]);
}

extern "C" __global__ void backward(
    const real* h_new, const real* dh, real* ds, real* dh_before, const bool* live, int B, int H)
{
    FOR_EACH_UNIT
    if (rests) { ds[n] = 0;  dh_before[n] += dh[n];  return; }
    ds[n] = dh[n] * (1 - h_new[n] * h_new[n]);
}
"""
