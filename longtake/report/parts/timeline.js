// A video's time line, to move along by pointer and by keys. `tell(t, slack)` says what is at a time, `slack` being the
// seconds that a few pixels take; `open(t)` acts on it.
const along = (length) => (t) => `${100 * clamp(t / length, 0, 1)}%`;
function timeline(video, label, tell, open) {
  const length = video.duration_s || 1, at = along(length);
  const line = el("div", { className: "line", tabIndex: 0, role: "slider", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": length.toFixed(1), "aria-valuenow": 0, "aria-valuetext": "0:00.0" });
  const cursor = el("i", { className: "head" }), big = film(video, 0, length), words = el("div");
  let now = 0;
  function go(t, x) {
    const box = line.getBoundingClientRect();
    now = clamp(t, 0, length);
    cursor.style.left = at(now);
    const said = [clock(now), ...tell(now, 7 * length / (box.width || 1))].join("  ·  ");
    line.setAttribute("aria-valuenow", now.toFixed(1));
    line.setAttribute("aria-valuetext", said);
    words.textContent = said;
    big.show(now);
    showTip(x === null ? box.left + box.width * now / length : x, box.top, ...(pictured(video) ? [big, words] : [words]));
  }
  line.onpointermove = line.onpointerdown = (event) => { const box = line.getBoundingClientRect(); go((event.clientX - box.left) / box.width * length, event.clientX); };
  line.onpointerleave = hideTip;
  line.onblur = hideTip;
  line.onclick = () => open(now);
  line.onkeydown = (event) => {
    const by = Math.max(0.1, pictured(video) ? video.preview.every_s : length / 100), moves = { ArrowRight: now + by, ArrowLeft: now - by, PageUp: now + 10 * by, PageDown: now - 10 * by, Home: 0, End: length };
    if (event.key in moves) { go(moves[event.key], null); event.preventDefault(); } else if (event.key === "Enter") open(now); else if (event.key === "Escape") hideTip();
  };
  line.append(cursor);
  return line;
}

// The clips of a video in order, each with the transitions inside it, where shots were joined.
function takesOf(video) {
  const takes = video.takes.map(([start, end, verdict, id]) => ({ start, end, verdict, id, joins: [] })).sort((a, b) => a.start - b.start);
  const outside = [], near = 1e-4;
  let i = 0;
  for (const transition of [...video.transitions].sort((a, b) => a[0] - b[0])) {
    while (i < takes.length && takes[i].end <= transition[0] + near) i += 1;
    (takes[i] && takes[i].start < transition[0] - near && transition[1] < takes[i].end - near ? takes[i].joins : outside).push(transition);
  }
  return { takes, outside };
}
const joining = (n) => (n ? `joins ${count(n + 1)} shots` : "");
const tint = (kind) => `var(--${kinds.includes(kind) ? kind : "cut"})`;
