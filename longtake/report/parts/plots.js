function ticks(h, x, apart) {
  const low = h.edges[0], high = h.edges.at(-1), by = nice(high - low || 1, 5), out = [];
  if (!h.log) { for (let n = Math.ceil(low / by - 1e-9); n * by <= high + by * 1e-9; n += 1) out.push(n * by); return out; }
  for (const within of [[1, 2, 5], [1, 3], [1]]) {
    out.length = 0;
    for (let e = Math.floor(Math.log10(Math.max(low, high / 1e9))); 10 ** e <= high; e += 1) out.push(...within.map((f) => f * 10 ** e).filter((v) => v >= low && v <= high));
    if (out.every((v, i) => i === 0 || x(v) - x(out[i - 1]) >= apart)) break;
  }
  return out;
}
const coded = (text) => text.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part));
function histogram(h) {
  const figure = el("figure", {}, el("h3", {}, el("code", {}, h.key)), el("p", {}, ...coded([(h.about || "").replace(/\.$/, ""), h.unit ? `in ${h.unit}` : "", h.log ? "logarithmic scale" : ""].filter(Boolean).join(", "))));
  figure.append([...h.kept, ...h.rejected].some((n) => n > 0) ? bars(h, ["kept", "rejected"]) : el("p", {}, "Not measured on any clip."));
  return figure;
}
function bars(h, [first, second]) {
  const bins = h.kept.length, sums = h.kept.map((n, i) => n + h.rejected[i]), top = Math.max(...sums, 0);
  const total = (list) => list.reduce((a, b) => a + b, 0), unit = h.unit ? GAP + h.unit : "";
  const words = `${h.key}: ${count(total(h.kept))} ${first}, ${count(total(h.rejected))} ${second}` + h.thresholds.map((t) => `; rule ${t.rule}`).join("");
  const plot = svg("svg", { role: "img", "aria-label": words });
  return drawnToFit(plot, (node, width, height) => {
    const left = 34, right = 6, foot = 22, rem = parseFloat(getComputedStyle(document.documentElement).fontSize), room = rem * (0.5 + 1.15 * h.thresholds.length);
    const base = height - foot, low = h.edges[0], high = h.edges[bins];
    const y = (n) => base - n / top * (base - room);
    const x = (v) => {   // every bin is equally wide in a logarithmic plot, whatever its edges
      if (!h.log) return left + clamp((v - low) / (high - low || 1), 0, 1) * (width - left - right);
      const i = clamp(h.edges.findIndex((edge) => edge > v) - 1, v >= high ? bins - 1 : 0, bins - 1), a = h.edges[i], b = h.edges[i + 1];
      const part = v >= high ? 1 : a > 0 && v > 0 ? Math.log(v / a) / Math.log(b / a) : (v - a) / (b - a || 1);
      return left + (i + clamp(part, 0, 1)) / bins * (width - left - right);
    };
    const drawn = [];
    for (const t of h.thresholds) {
      const at = x(t.number), above = t.comparison.startsWith(">"), below = t.comparison.startsWith("<");
      if (above || below) drawn.push(svg("rect", { class: "outside", x: above ? left : at, y: room, width: Math.max(0, above ? at - left : width - right - at), height: base - room }));
    }
    const step = Math.max(1, nice(top, 3));
    for (let n = step; n <= top; n += step) drawn.push(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(n), y2: y(n) }), svg("text", { x: left - 7, y: y(n) + 4, "text-anchor": "end" }, count(n)));
    h.kept.forEach((kept, i) => {
      const a = x(h.edges[i]), wide = Math.max(1, x(h.edges[i + 1]) - a - 1.5);
      if (kept) drawn.push(svg("rect", { class: "bar-kept", x: a, y: y(kept), width: wide, height: base - y(kept) }));
      if (h.rejected[i]) drawn.push(svg("rect", { class: "bar-rejected", x: a, y: y(sums[i]), width: wide, height: y(kept) - y(sums[i]) - (kept ? 1 : 0) }));
    });
    drawn.push(svg("line", { class: "axis", x1: left, x2: width - right, y1: base + .5, y2: base + .5 }));
    for (const v of ticks(h, x, 2.6 * rem)) {
      const at = x(v);
      drawn.push(svg("line", { class: "axis", x1: at, x2: at, y1: base, y2: base + 4 }), svg("text", { x: at, y: base + 17, "text-anchor": at > width - 20 ? "end" : "middle" }, number(v)));
    }
    h.thresholds.forEach((t, i) => {
      const at = x(t.number), row = (i + 0.9) * 1.15 * rem, far = at > (left + width) / 2;
      drawn.push(svg("line", { class: "threshold", x1: at, x2: at, y1: row - 0.75 * rem, y2: base + 4 }),
        svg("text", { class: "rule-text", x: at + (far ? -6 : 6), y: row, "text-anchor": far ? "end" : "start" }, t.rule));
    });
    h.kept.forEach((kept, i) => {
      const a = x(h.edges[i]), hit = svg("rect", { class: "hit", x: a, y: room, width: Math.max(1, x(h.edges[i + 1]) - a), height: base - room });
      hit.onpointerenter = () => { const box = hit.getBoundingClientRect(); showTip(box.x + box.width / 2, box.y + y(sums[i]) - room,
        el("div", {}, `${number(h.edges[i])} – ${number(h.edges[i + 1])}${unit}`), el("div", {}, el("b", { className: "kept-ink" }, count(kept)), ` ${first}, ${count(h.rejected[i])} ${second}`)); };
      hit.onpointerleave = hideTip;
      drawn.push(hit);
    });
    plot.replaceChildren(...drawn);
  });
}
