// The page is whole without this script; it adds values under the pointer, timelines that scroll together, and lists
// that open for print.
const EXPRESSIONS = STATES.slice(0, -1);
const [INTENSITY, VALENCE, AROUSAL, STATE] = [0, 1, 2, 3].map((row) => row + EXPRESSIONS.length);
const scrolls = [...document.querySelectorAll(".scroll")];

function clock(seconds) {
  const tenths = Math.round(seconds * 10), minutes = Math.floor(tenths / 600);
  const second = (tenths % 600 / 10).toFixed(1).padStart(4, "0");
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${second}` : `${minutes}:${second}`;
}

for (const figure of document.querySelectorAll(".timeline")) {
  const count = Number(figure.dataset.count), seconds = Number(figure.dataset.seconds);
  const values = Uint8Array.from(atob(figure.dataset.values), (letter) => letter.charCodeAt(0));
  const plot = figure.querySelector(".plot"), scroll = figure.querySelector(".scroll");
  const cursor = figure.querySelector(".cursor"), readout = figure.querySelector(".readout");
  let current = -1;
  const at = (row, bin) => values[row * count + bin];
  const signed = (row, bin) => (at(row, bin) / LEVELS * 2 - 1).toFixed(2);
  readout.textContent = "Point at the figure, or focus it and use the arrow keys, to read values.";

  function show(bin) {
    current = Math.min(Math.max(bin, 0), count - 1);
    cursor.hidden = false;
    cursor.style.left = `${100 * (current + 0.5) / count}%`;
    const time = document.createElement("b");
    time.textContent = clock(current * seconds / count);
    if (at(STATE, current) === GAP) {
      readout.replaceChildren(time, "  not in view");
      return;
    }
    const state = document.createElement("b");
    state.textContent = STATES[at(STATE, current)];
    const likely = EXPRESSIONS.map((name, row) => [at(row, current), name]).sort((a, b) => b[0] - a[0]).slice(0, 3);
    const shares = likely.map(([level, name]) => `${name} ${(level / LEVELS).toFixed(2)}`).join(", ");
    const intensity = (at(INTENSITY, current) / LEVELS).toFixed(2);
    readout.replaceChildren(time, "  ", state, ` · ${shares} · intensity ${intensity}` +
      ` · valence ${signed(VALENCE, current)} · arousal ${signed(AROUSAL, current)}`);
  }

  const point = (event) => {
    const box = plot.getBoundingClientRect();
    show(Math.floor((event.clientX - box.left) / box.width * count));
  };
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  scroll.addEventListener("keydown", (event) => {
    const direction = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!direction) return;
    event.preventDefault();
    const pace = event.shiftKey ? Math.max(Math.round(count / 50), 1) : 1;
    show(current < 0 ? 0 : current + direction * pace);
    const place = cursor.offsetLeft - scroll.clientWidth / 2;
    if (Math.abs(place - scroll.scrollLeft) > scroll.clientWidth / 2.2) scroll.scrollLeft = place;
  });
}

// Scrolling one timeline moves the others; zooming keeps the middle where it is.
let middle = 0.5;
const placed = new Map();  // where this script has put a timeline: the event of that is no scrolling of the reader
for (const scroll of scrolls) {
  scroll.addEventListener("scroll", () => {
    const place = placed.get(scroll);
    placed.delete(scroll);
    if (place === scroll.scrollLeft) return;
    middle = (scroll.scrollLeft + scroll.clientWidth / 2) / scroll.scrollWidth;
    center(scroll);
  }, {passive: true});
}
function center(leader) {
  for (const scroll of scrolls) {
    if (scroll === leader) continue;
    const left = Math.round(middle * scroll.scrollWidth - scroll.clientWidth / 2);
    if (Math.abs(scroll.scrollLeft - left) < 2) continue;
    scroll.scrollLeft = left;
    placed.set(scroll, scroll.scrollLeft);
  }
}
for (const choice of document.querySelectorAll('[name="zoom"]')) {
  choice.addEventListener("change", () => requestAnimationFrame(() => center(null)));
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
