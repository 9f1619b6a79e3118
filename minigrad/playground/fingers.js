"use strict";
/* A bar for fingers at the lower edge of the window: the handle that was touched last, with controls of 44 pixels. The
   handles of eight steps are smaller than a finger on a phone, and here each of them has a control that is not. */

let touched = null;   // the handle in the bar: {row, at}
const STEPS = 5;      // of a handle's own steps, at one touch of − or +

/* The handle in the bar; the picture makes its handles again for another number of steps. */
const touchedHandle = () => touched && [...handles.values()].find(one => one.row === touched.row && same(one.at, touched.at));

function showFingers(now) {
  const handle = touchedHandle();
  byId("fingers").hidden = !handle;
  if (!handle) return;
  const { row, at } = handle, value = row.get(now, ...at);
  byId("finger-name").textContent = `${nameOf(row, ...at)}: ${number(value)}`;
  Object.assign(byId("finger"), { min: row.low, max: row.high, step: row.by, value });
  byId("finger").setAttribute("aria-valuetext", number(value));
  byId("let-go").hidden = !row.isHeld?.(...at);
}

/* Connects the bar. `changed` shows the state; `done` also keeps it, as one step of undo. */
function listenToFingers(changed, done) {
  addEventListener("pointerdown", event => {
    if (event.target.closest?.("#fingers")) return;
    const before = touched;
    touched = event.pointerType === "mouse" ? null : handleAt(event) ?? null;
    if (before || touched) changed();
  });
  const set = value => { const handle = touchedHandle(); if (handle) setHandle(handle, value); };
  const by = way => () => {
    const handle = touchedHandle();
    if (handle) set(handle.row.get(compute(), ...handle.at) + way * STEPS * handle.row.by);
    done(byId("finger-name").textContent.split(":")[0]);
  };
  byId("finger").addEventListener("input", event => { set(Number(event.target.value)); changed(); });
  byId("finger").addEventListener("change", () => done());
  byId("less").addEventListener("click", by(-1));
  byId("more").addEventListener("click", by(1));
  byId("let-go").addEventListener("click", () => { touchedHandle()?.row.free(...touched.at); done(); });
}
