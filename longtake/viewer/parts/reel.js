// The whole video below its clip: every lane on one time line that can be zoomed into, with the playhead across all.
function reelOf(video, clip, player) {
  const length = video.duration_s || clip.end_s,
    curves = video.curves.map(curveLane),
    lanes = [
      ...(pictured({ preview: video.sheet }) ? [picturesLane(video)] : []),
      shotsLane(video, clip),
      ...(video.moves.length ? [movesLane(video)] : []),
      ...saidLanes(clip),
      ...spanLanes(video, clip),
      ...curves,
    ];
  const head = el("i", { className: "playhead" }),
    finger = el("i", { className: "finger" }),
    span_ = el("i", { className: "own" }),
    over = el(
      "div",
      {
        className: "over-all",
        tabIndex: 0,
        role: "slider",
        "aria-label": `time line of ${video.name}`,
        "aria-valuemin": 0,
        "aria-valuemax": length.toFixed(1),
      },
      span_,
      finger,
      head,
    );
  const rows = lanes.map((lane) => {
    const node = lane.html ? el("div", { className: "track-of" }) : svg("svg", { class: "track-of", "aria-hidden": "true" });
    node.style.height = `${lane.height}rem`;
    return node;
  });
  // Beside a curve stands its largest value; while one points at a time, its value there.
  const scales = lanes.map((lane) => (lane.range ? el("small") : null));
  const scale = (t) =>
    lanes.forEach((lane, i) => {
      if (!lane.range) return;
      const value = t === null ? lane.range[1] : lane.valueAt(t);
      scales[i].textContent = known(value) ? number(value, t === null ? 2 : 3) : "–";
      scales[i].classList.toggle("now", t !== null);
    });
  const still = () => {
    hideTip();
    scale(null);
  };
  const names = lanes.map((lane, i) => {
    const node = el(
      "span",
      { title: [lane.label, lane.about].filter(Boolean).join(": "), className: lane.line ? "one-line" : "" },
      el("span", {}, lane.label),
      scales[i],
    );
    node.style.height = `${lane.height}rem`;
    return node;
  });
  const axis = svg("svg", { class: "axis-of", "aria-hidden": "true" }),
    field = el("div", { className: "field" }, ...rows, axis, over),
    big = film({ preview: video.sheet }, 0, length);
  let from = 0,
    to = length,
    now = clip.start_s,
    at = clip.start_s,
    drawn = "",
    dragging = false;
  const width = () => field.clientWidth,
    x = (t) => ((t - from) / (to - from)) * width(),
    timeAt = (event) => clamp(from + ((event.clientX - field.getBoundingClientRect().left) / (width() || 1)) * (to - from), 0, length);
  function draw() {
    if (!width()) return;
    const mark = `${from} ${to} ${width()}`;
    if (mark !== drawn) {
      drawn = mark;
      lanes.forEach((lane, i) => (lane.html ? lane.html(rows[i], width(), [from, to]) : lane.draw(rows[i], x, width(), [from, to])));
      const by = nice(to - from, Math.max(2, width() / 110)),
        marks = [];
      for (let t = Math.ceil(from / by) * by; t <= to; t += by)
        marks.push(
          svg("line", { class: "axis", x1: x(t), x2: x(t), y1: 0, y2: 5 }),
          svg(
            "text",
            { x: x(t), y: 18, "text-anchor": x(t) < 20 ? "start" : x(t) > width() - 24 ? "end" : "middle" },
            by < 0.1 ? exactTime(t) : clock(t),
          ),
        );
      axis.replaceChildren(...marks);
      span_.style.left = `${x(clip.start_s)}px`;
      span_.style.width = `${Math.max(2, x(clip.end_s) - x(clip.start_s))}px`;
      plus.disabled = to - from < 0.5;
      minus.disabled = all.disabled = to - from >= length - 1e-6;
    }
    head.style.left = `${x(now)}px`;
    head.hidden = now < from || now > to;
  }
  function look(a, b) {
    const wide = clamp(b - a, Math.min(length, 0.4), length);
    from = clamp((a + b) / 2 - wide / 2, 0, length - wide);
    to = from + wide;
    draw();
    sharpen();
  }
  const zoom = (by, t = now) => {
    const part = clamp((t - from) / (to - from), 0, 1),
      wide = (to - from) * by;
    look(t - part * wide, t + (1 - part) * wide);
  };
  const all = plain("All", () => look(0, length)),
    plus = plain("+", () => zoom(0.5), { "aria-label": "Zoom in", title: "Zoom in: +, or Ctrl and the wheel" }),
    minus = plain("−", () => zoom(2), { "aria-label": "Zoom out", title: "Zoom out: -" }),
    closer = plain("This clip", () => {
      const more = 0.04 * (clip.end_s - clip.start_s);
      look(clip.start_s - more, clip.end_s + more);
    });
  function go(t) {
    if (t >= clip.start_s && t < clip.end_s) {
      player.seek(t - clip.start_s);
      return;
    }
    const other = video.clips.find((one) => between_(one, t));
    if (other && !dragging) location.hash = link("clip", { t: (t - other.start_s).toFixed(3) }, other.id);
  }
  function point(t, clientX) {
    at = t;
    finger.style.left = `${x(t)}px`;
    const slack = (4 * (to - from)) / (width() || 1),
      said = lanes.flatMap((lane) => (lane.tell ? lane.tell(t, slack) : [])).filter(Boolean);
    over.setAttribute("aria-valuenow", t.toFixed(2));
    over.setAttribute("aria-valuetext", [exactTime(t), ...said].join(", "));
    scale(t);
    if (pictured({ preview: video.sheet })) big.show(t);
    const box = field.getBoundingClientRect(),
      pointed = clientX ?? box.left + x(t);
    showTip(
      pointed + (pointed < box.left + box.width / 2 ? 170 : -170), // beside what is pointed at, not on it
      box.top,
      ...(pictured({ preview: video.sheet }) ? [big] : []),
      el("b", {}, exactTime(t)),
      ...said.map((words) => el("div", {}, words)),
    );
  }
  over.onpointermove = (event) => {
    const t = timeAt(event);
    point(t, event.clientX);
    if (dragging && t >= clip.start_s && t < clip.end_s) go(t);
  };
  over.onpointerdown = (event) => {
    if (event.button) return;
    dragging = true;
    over.setPointerCapture(event.pointerId);
    const t = timeAt(event);
    if (t >= clip.start_s && t < clip.end_s) {
      player.video.pause();
      go(t);
    }
  };
  over.onpointerup = over.onpointercancel = (event) => {
    dragging = false;
    const t = timeAt(event);
    if (event.type === "pointerup" && (t < clip.start_s || t >= clip.end_s)) go(t);
  };
  over.onpointerleave = over.onblur = still;
  over.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey || event.metaKey) zoom(1.0025 ** event.deltaY, timeAt(event));
      else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
        const by = ((event.deltaX || event.deltaY) / (width() || 1)) * (to - from);
        look(from + by, to + by);
      } else return;
      event.preventDefault();
    },
    { passive: false },
  );
  over.onkeydown = (event) => {
    const by = (to - from) / 100,
      ways = { ArrowRight: at + by, ArrowLeft: at - by, PageUp: at + 10 * by, PageDown: at - 10 * by, Home: 0, End: length };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in ways) {
      const t = clamp(ways[event.key], 0, length);
      if (t < from || t > to) look(t - (to - from) / 2, t + (to - from) / 2);
      point(t, null);
      if (t >= clip.start_s && t < clip.end_s) {
        player.video.pause();
        go(t);
      }
    } else if (event.key === "+" || event.key === "=") zoom(0.5, at);
    else if (event.key === "-") zoom(2, at);
    else if (event.key === "Enter") go(at);
    else if (event.key === "Escape") hideTip();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // Zoomed in, curves are asked for anew: as many points for what is in view as for the whole.
  const finer = newest(),
    sharpen = later(async () => {
      if (!video.curves.length) return;
      const more = (to - from) / 2; // so that lines go on beyond what is in view
      try {
        const found =
          to - from > 0.6 * length
            ? video.curves
            : await finer(
                `/api/videos/${encodeURIComponent(video.id)}/curves?start_s=${Math.max(0, from - more)}&end_s=${Math.min(length, to + more)}`,
              );
        curves.forEach((lane) => {
          const curve = found.find((one) => one.label === lane.curve.label && one.column === lane.curve.column);
          if (curve) lane.take(curve);
        });
        drawn = "";
        draw();
      } catch (error) {
        complain(error);
      }
    }, 250);
  scale(null);
  field.redraw = draw;
  resized.observe(field);
  const facts = [
    exactly(video.duration_s),
    video.width ? `${video.width}\u2009×\u2009${video.height}` : null,
    known(video.fps) ? `${number(video.fps, 4)}${GAP}fps` : null,
    video.codec,
    many(video.shots.length, "shot"),
    many(video.clips.length, "clip"),
  ];
  const node = el(
    "section",
    { className: "reel-of" },
    el("div", { className: "section-head" }, el("h2", {}, "In its video"), el("span", { className: "zooms" }, minus, plus, closer, all)),
    el(
      "p",
      { className: "lead" },
      el("a", { href: link("clips", { video: video.id, show: "all" }) }, video.name),
      `  ·  ${facts.filter(Boolean).join("  ·  ")}`,
    ),
    video.damage && video.damage.length ? el("p", { className: "damage" }, [video.damage].flat().join("; ")) : null,
    el("div", { className: "lanes" }, el("div", { className: "names", "aria-hidden": "true" }, ...names), field),
  );
  return {
    node,
    play: (t) => {
      now = clip.start_s + t;
      draw();
    },
    stop: () => {
      resized.unobserve(field);
      sharpen.stop();
      finer.stop();
    },
  };
}
