// One thing along a video's time, drawn for the part that is in view: each returns { label, about, height, draw(node, x, width, [from, to]), tell(t) }.
const between_ = (one, t) => t >= one.start_s && t < one.end_s;
const rect = (className, x, one, y, height, more = {}) => {
  const a = x(one.start_s),
    b = x(one.end_s);
  return svg("rect", { class: className, x: a, width: Math.max(1.5, b - a), y, height, ...more });
};
const visible = (list, [from, to]) => list.filter((one) => one.end_s >= from && one.start_s <= to);

function picturesLane(video) {
  return {
    label: "pictures",
    height: 3.4,
    html: (node, width, [from, to]) => {
      const pictures = el("div", { className: "strip" }),
        {
          tile: [w, h],
          columns,
        } = video.sheet,
        height = node.clientHeight,
        full = (height * w) / h;
      const n = Math.max(1, Math.round(width / full)),
        cell = width / n,
        wide = (Math.max(full, cell) * w) / (w - 2),
        tall = (wide * h) / w;
      for (let i = 0; i < n; i += 1) {
        const one = tileAt(video.sheet, from + ((i + 0.5) / n) * (to - from)),
          img = picture(one),
          box = el("div", {}, img);
        Object.assign(box.style, { width: `${cell}px`, height: "100%" });
        Object.assign(img.style, {
          width: `${columns * wide}px`,
          left: `${-one.column * wide - (wide - cell) / 2}px`,
          top: `${-one.row * tall - (tall - height) / 2}px`,
        });
        pictures.append(box);
      }
      node.replaceChildren(pictures);
    },
  };
}
function shotsLane(video, clip) {
  const clips = video.clips.map((one) => ({ ...one, now: one.id === clip.id }));
  return {
    label: "clips and transitions",
    height: 1.5,
    draw: (node, x, width, span) => {
      const shots = video.shots.map(([start_s, end_s], i) => ({ start_s, end_s, odd: i % 2 }));
      node.replaceChildren(
        ...visible(shots, span).map((one) => rect(one.odd ? "shot odd" : "shot", x, one, "82%", "18%")),
        ...visible(clips, span).map((one) =>
          rect(`take ${one.kept ? "kept" : "rejected"}${one.now ? " now" : ""}`, x, one, one.now ? "8%" : "24%", one.now ? "64%" : "32%"),
        ),
        ...visible(video.transitions, span).map((one) => {
          const node = rect(`edge ${one.kind}`, x, one, 0, "78%");
          node.style.fill = tint(one.kind);
          if (one.end_s - one.start_s < 1e-4) node.setAttribute("x", x(one.start_s) - 0.75);
          return node;
        }),
      );
    },
    tell: (t, slack) => {
      const edge = video.transitions.find((one) => t >= one.start_s - slack && t < Math.max(one.end_s, one.start_s) + slack),
        take = clips.find((one) => between_(one, t));
      return [
        edge ? `${edge.kind}${known(edge.confidence) ? `, confidence ${number(edge.confidence, 2)}` : ""}` : null,
        take ? (take.now ? "this clip" : take.kept ? "a kept clip" : "a rejected clip") : null,
      ];
    },
  };
}
function curveLane(whole) {
  let curve = whole;
  const highs = curve.high.filter(known),
    lows = curve.low.filter(known),
    top = Math.max(...highs, -Infinity),
    least = Math.min(...lows, Infinity),
    base = least >= 0 ? 0 : least,
    room = top - base || 1;
  const name = `${curve.label} ${curve.column.replaceAll("_", " ")}`;
  const at = (t) => {
    let low = 0,
      high = curve.times.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (curve.times[mid] <= t) low = mid;
      else high = mid - 1;
    }
    return low;
  };
  return {
    label: name,
    about: [curve.about, curve.unit ? `in ${curve.unit}` : ""].filter(Boolean).join(", "),
    height: 2.6,
    range: [base, top],
    curve,
    take: (finer) => {
      curve = finer;
    },
    draw: (node, x, width, [from, to]) => {
      const height = node.clientHeight,
        y = (v) => height - 1 - ((v - base) / room) * (height - 4),
        first = Math.max(0, at(from) - 1),
        past = Math.min(curve.times.length, at(to) + 2),
        parts = [];
      let up = [],
        down = [];
      const close = () => {
        if (up.length) parts.push(svg("path", { class: "curve", d: `M${up.join("L")}L${down.reverse().join("L")}Z` }));
        up = [];
        down = [];
      };
      for (let i = first; i < past; i += 1) {
        if (!known(curve.high[i]) || !known(curve.low[i])) {
          close();
          continue;
        }
        const a = x(curve.times[i]).toFixed(1);
        up.push(`${a} ${y(curve.high[i]).toFixed(1)}`);
        down.push(`${a} ${y(curve.low[i]).toFixed(1)}`);
      }
      close();
      node.replaceChildren(svg("line", { class: "grid", x1: 0, x2: width, y1: y(base), y2: y(base) }), ...parts);
    },
    valueAt: (t) => {
      const i = at(t);
      return curve.high[i];
    },
  };
}
function movesLane(video) {
  return {
    label: "camera",
    height: 1.3,
    draw: (node, x, width, span) =>
      node.replaceChildren(
        ...visible(video.moves, span).flatMap((one) => {
          const a = Math.max(0, x(one.start_s)),
            b = Math.min(width, x(one.end_s)),
            box = rect(`move ${one.kind.split(" ")[0]}`, x, one, 1, "86%");
          return b - a > 9 * one.kind.length ** 0.9 ? [box, svg("text", { x: a + 5, y: "68%" }, one.kind)] : [box];
        }),
      ),
    tell: (t) => {
      const move = video.moves.find((one) => between_(one, t));
      return [move ? `${move.kind}${move.speed > 0.005 ? `, ${number(move.speed, 2)}/s` : ""}` : null];
    },
  };
}
// What was said of parts of the clip, a lane for each kind.
function saidLanes(clip) {
  const length = clip.end_s - clip.start_s,
    inTime = clip.captions.filter((one) => isPart(one, length));
  return grouped(inTime, (one) => (one.step === one.kind ? one.step : `${one.step} ${one.kind.replaceAll("_", " ")}`)).map(([label, list]) => {
    const placed = list.map((one) => ({ ...one, start_s: clip.start_s + one.start_s, end_s: clip.start_s + one.end_s }));
    return {
      label,
      height: 1.3,
      draw: (node, x, width, span) =>
        node.replaceChildren(
          ...visible(placed, span).flatMap((one) => {
            const a = Math.max(0, x(one.start_s)),
              b = Math.min(width, x(one.end_s)),
              fits = Math.floor((b - a - 10) / 6.4),
              box = rect(one.problems.length ? "words aside" : "words", x, one, 1, "86%");
            return fits > 8
              ? [box, svg("text", { x: a + 5, y: "68%" }, one.text.length > fits ? `${one.text.slice(0, fits - 1)}…` : one.text)]
              : [box];
          }),
        ),
      tell: (t) => {
        const one = placed.find((part) => between_(part, t));
        return [one ? one.text.slice(0, 160) : null];
      },
    };
  });
}
// A caption's positive, the negative span around it, and what looks alike.
const SPANS_SHOWN = 6;
function spanLanes(video, clip) {
  const own = [...video.spans]
    .sort((a, b) => (b.clip_id === clip.id) - (a.clip_id === clip.id) || Boolean(a.rejected_by) - Boolean(b.rejected_by) || a.start_s - b.start_s)
    .slice(0, SPANS_SHOWN);
  return own.map((span) => {
    const positive = { start_s: span.start_s, end_s: span.end_s },
      negative = { start_s: span.neg_start_s, end_s: span.neg_end_s },
      alike = span.similar || [],
      aside = span.rejected_by ? " aside" : "";
    return {
      label: span.text || "span",
      line: true,
      about: [span.kind.replaceAll("_", " "), span.rejected_by ? `rejected: ${span.rejected_by}` : ""].filter(Boolean).join("  ·  "),
      height: 1,
      of: span.clip_id === clip.id,
      draw: (node, x, width, view) =>
        node.replaceChildren(
          ...(known(negative.start_s) ? [rect(`negative${aside}`, x, negative, "34%", "32%")] : []),
          ...visible(alike, view).map((one) => rect("alike", x, one, "20%", "60%")),
          rect(`positive${aside}`, x, positive, "12%", "76%"),
        ),
      tell: (t) => {
        const one = alike.find((part) => between_(part, t));
        return [between_(positive, t) ? `positive: ${(span.text || "").slice(0, 120)}` : one ? `looks alike, ${number(one.similarity, 2)}` : null];
      },
    };
  });
}
