// How alike the shots of a video look, or its scenes, each to each: the darker, the more alike.
function heatOf(video, clip) {
  const { edges, matrix } = video.similarity,
    n = matrix.length,
    parts = set.noun === "scene" ? "scenes" : "shots",
    side = clamp(n * 44, 176, 620),
    page = getComputedStyle(document.documentElement),
    colour = (name) => page.getPropertyValue(name).trim();
  const picture = el("canvas", {
      width: side,
      height: side,
      role: "img",
      "aria-label": `similarity of ${n} ${parts} to one another`,
      style: { width: `${side / 16}rem` },
    }),
    pen = picture.getContext("2d");
  const values = matrix.flatMap((row, i) => row.filter((v, j) => known(v) && i !== j)),
    low = Math.min(...values, 1),
    high = Math.max(...values, low + 1e-6);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const starts = edges.length === n + 1 ? edges : edges.map((edge) => (Array.isArray(edge) ? edge[0] : edge)),
    here = starts.findLastIndex((t) => t <= clip.start_s + 1e-3);
  function draw() {
    const cell = side / n;
    pen.fillStyle = colour("--well");
    pen.fillRect(0, 0, side, side);
    pen.fillStyle = colour("--kept");
    matrix.forEach((row, i) =>
      row.forEach((v, j) => {
        if (!known(v)) return;
        pen.globalAlpha = clamp((v - low) / (high - low), 0, 1) ** 1.6;
        pen.fillRect(Math.floor(j * cell), Math.floor(i * cell), Math.ceil(cell), Math.ceil(cell));
      }),
    );
    pen.globalAlpha = 1;
    if (here >= 0 && here < n) {
      pen.strokeStyle = colour("--ink");
      pen.lineWidth = 2;
      pen.strokeRect(1, here * cell, side - 2, cell);
    }
  }
  const cellAt = (event) => {
    const box = picture.getBoundingClientRect(),
      on = (part) => clamp(Math.floor(part * n), 0, n - 1);
    return [on((event.clientY - box.top) / box.height), on((event.clientX - box.left) / box.width)];
  };
  picture.onpointermove = (event) => {
    const [i, j] = cellAt(event),
      box = picture.getBoundingClientRect();
    showTip(
      event.clientX,
      box.top + (i / n) * box.height,
      el("b", {}, known(matrix[i][j]) ? number(matrix[i][j], 3) : "not measured"),
      el("div", {}, `${parts} from ${clock(starts[i])} and ${clock(starts[j])}`),
    );
  };
  picture.onpointerleave = hideTip;
  picture.onclick = (event) => {
    const [, j] = cellAt(event),
      t = starts[j] + 1e-3,
      other = video.clips.find((one) => between_(one, t));
    if (other && other.id !== clip.id) location.hash = link("clip", {}, other.id);
  };
  draw();
  dark.addEventListener("change", draw);
  return {
    node: el(
      "section",
      { className: "heat" },
      el("h2", {}, `${parts[0].toUpperCase()}${parts.slice(1)} that look alike`),
      el(
        "p",
        { className: "lead" },
        `${count(n)} ${parts}, each with each: from ${number(low, 2)} (pale) to ${number(high, 2)}. The frame marks where this clip begins.`,
      ),
      picture,
    ),
    stop: () => dark.removeEventListener("change", draw),
  };
}
