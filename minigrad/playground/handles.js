"use strict";
/* The handles in the picture: the doors of the forget gate in the pipes, and a bar for each other gate, loss weight and
   input. Each is a slider: drag it up or to the right, by mouse, pen or finger, or press the arrow keys.

   A handle is {row, at, high, low, part, shown}: its row of rows.js, the step and unit, and its element. */

const RANGE = 70;   // pixels of a drag from one end to the other
const handles = new Map();   // by element
let tapped = {};      // the last tap: {handle, time}
let dragged = null;   // {handle, x, y, value, moved}

function nameOf(row, t, n) {
  return row === RIVER.at(-1) ? `input x${subscript(n + 1)}, step ${t + 1}` : `${row.name}, step ${t + 1}, unit ${n + 1}`;
}

/* The elements of a handle: a door is two rectangles, a bar a ground, a level and a value. */
function handleHTML(row, t, u, size) {
  const middle = (t + 0.5) * size.column, door = row.key === "f";
  const width = door ? Math.min(34, size.column - 6) : Math.max(26, Math.min(76, size.column * 0.62));
  const height = door ? size.pipe : size.row;
  const y = door ? size.c[u] : (size.gate[row.key] ?? size[row.key]) + (u - (units - 1) / 2) * size.row;
  const rect = (name, w, h) => `<rect class="${name}" x="${shown([middle - w / 2])}" y="${shown([y - h / 2])}"`
    + ` width="${shown([w])}" height="${shown([Math.max(0, h)])}"/>`;
  const inside = door ? `<path class="doors"/>`
    : `${rect("ground", width, height - 4)}<rect class="level" y="${shown([y - height / 2 + 2])}" height="${height - 4}"`
      + ` fill="${row.colour}"/><path class="knob"/><text x="${shown([middle + width / 2 - 3])}" y="${shown([y])}"></text>`;
  return `<g class="handle" role="slider" tabindex="0" data-row="${row.key}" data-at="${t} ${u}" aria-valuemin="${row.low}"`
    + ` aria-valuemax="${row.high}" aria-label="${nameOf(row, t, u)}" data-box="${[middle, y, width, height].join(" ")}">`
    + `${rect("hit", Math.max(width, Math.min(size.column, 44)), height)}${inside}</g>`;
}

/* Makes the handles again, for another number of steps or another width. */
function makeHandles(svg, size) {
  const at = document.activeElement?.closest?.(".handle"), again = at && `[data-row=${at.dataset.row}][data-at="${at.dataset.at}"]`;
  const places = [...Array(size.T).keys()].flatMap(t => UNITS.map(u => [t, u]));
  svg.querySelector(".handles").innerHTML =
    RIVER.map(row => places.map(([t, u]) => handleHTML(row, t, u, size)).join("")).join("");
  handles.clear();
  for (const part of svg.querySelectorAll(".handle")) {
    const row = RIVER.find(one => one.key === part.dataset.row), box = part.dataset.box.split(" ").map(Number);
    handles.set(part, { row, part, box, at: part.dataset.at.split(" ").map(Number), shown: "" });
  }
  if (again) svg.querySelector(again)?.focus({ preventScroll: true });
}

function showHandle(handle, now) {
  const { row, at, part } = handle, value = row.get(now, ...at), held = row.isHeld?.(...at) ?? false;
  if (handle.shown === `${value} ${held}`) return;   // writing to the page takes longer than computing
  handle.shown = `${value} ${held}`;
  part.classList.toggle("mine", held);
  part.setAttribute("aria-valuenow", value);
  part.setAttribute("aria-valuetext", number(value) + (held ? ", held by you" : ""));
  if (row.key === "f") showDoors(part, handle.box, value);
  else showLevel(part, handle.box, row, value);
}

/* The doors leave an opening of f in the pipe. */
function showDoors(part, [x, y, , height], f) {
  const closed = (1 - f) * height / 2 + 2, door = (top, grip) =>
    `M${shown([x - 4, top])} h8 v${shown([closed])} h-8 Z M${shown([x - 9, grip - 2])} h18 v4 h-18 Z`;
  part.querySelector(".doors").setAttribute("d",
    door(y - height / 2 - 2, y - height / 2 + closed - 4) + door(y + height / 2 + 2 - closed, y + height / 2 + 4 - closed));
}

/* A level from 0 to the value, and a knob at the value. */
function showLevel(part, [x, y, width, height], { low, high }, value) {
  const place = v => x - width / 2 + width * (Math.min(high, Math.max(low, v)) - low) / (high - low);
  const level = part.querySelector(".level"), [from, to] = [place(0), place(value)].sort((a, b) => a - b);
  level.setAttribute("x", shown([from]));
  level.setAttribute("width", shown([to - from]));
  part.querySelector(".knob").setAttribute("d", `M${shown([place(value), y - height / 2 + 1])} v${shown([height - 2])}`);
  part.querySelector("text").textContent = width > 50 ? number(value) : "";
}

/* --- listening --- */

const handleAt = event => handles.get(event.target.closest?.(".handle"));

/* Sets the value of a handle, within its limits and in its steps. */
function setHandle({ row, at }, value) {
  const rounded = Number((Math.round(value / row.by) * row.by).toFixed(4));
  row.set(Math.min(row.high, Math.max(row.low, rounded)), ...at);
  state.step = at[0];
}

/* Connects the picture. `changed` shows the state; `done` also keeps it, as one step of undo. */
function listenToHandles(svg, changed, done) {
  const valueOf = ({ row, at }) => row.get(compute(), ...at);
  const release = handle => { if (handle?.row.free) { handle.row.free(...handle.at); done(); } };
  svg.addEventListener("pointerdown", event => {
    const handle = handleAt(event);
    if (!handle || event.button > 0 || dragged) return;
    dragged = { handle, id: event.pointerId, x: event.clientX, y: event.clientY, value: valueOf(handle), moved: false };
    handle.part.focus({ preventScroll: true });
    event.preventDefault();
  });
  // touch-action: none is not enough: Chromium ignores it inside an svg element, and would scroll.
  svg.addEventListener("touchstart", event => { if (handleAt(event)) event.preventDefault(); }, { passive: false });
  const move = event => {
    const { handle, x, y, value } = dragged, way = (event.clientX - x) - (event.clientY - y);
    if (!dragged.moved && Math.abs(way) < 3) return;
    dragged.moved = true;
    setHandle(handle, value + way / RANGE * (handle.row.high - handle.row.low));
  };
  addEventListener("pointermove", event => {
    if (!dragged || event.pointerId !== dragged.id) return;
    move(event);
    changed();
  });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, event => {
    if (!dragged || event.pointerId !== dragged.id) return;
    if (end === "pointerup") move(event);
    const { handle, moved } = dragged, tap = { handle, time: event.timeStamp };
    dragged = null;
    if (moved) done();
    else if (event.pointerType !== "mouse") {   // two taps; a mouse sends dblclick
      if (tapped.handle === handle && tap.time - tapped.time < 500) release(handle);
      tapped = tap;
    }
  });
  svg.addEventListener("focusin", event => {
    const handle = handleAt(event);
    if (handle && state.step !== handle.at[0]) { state.step = handle.at[0]; changed(); }
  });
  svg.addEventListener("dblclick", event => release(handleAt(event)));
  svg.addEventListener("keydown", event => {
    const handle = handleAt(event);
    if (!handle || event.ctrlKey || event.metaKey || event.altKey) return;
    const { row } = handle, moves = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
    const ends = { Home: row.low, End: row.high };
    if (event.key in moves) setHandle(handle, valueOf(handle) + moves[event.key] * row.by);
    else if (event.key in ends) setHandle(handle, ends[event.key]);
    else if (["Delete", "Backspace", "Escape"].includes(event.key) && row.free) row.free(...handle.at);
    else return;
    event.preventDefault();
    done(handle.part.getAttribute("aria-label"));
  });
}
