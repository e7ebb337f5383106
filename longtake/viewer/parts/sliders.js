// Histograms of scores with the rules' numbers as lines to drag. The scale stays while one is dragged.
function board(keys, { about = new Map(), bins = 40 } = {}) {
  const plots = new Map(keys.map((score) => [score, slider(score, about.get(score))])),
    shown = new Set();
  const node = el("div", { className: "plots live" }, ...[...plots.values()].map((plot) => plot.node));
  const sight = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        const { score } = entry.target.dataset;
        if (entry.isIntersecting) shown.add(score);
        else shown.delete(score);
      }
      refresh();
    },
    { rootMargin: "200px" },
  );
  for (const plot of plots.values()) sight.observe(plot.node);
  const refresh = following(async () => {
    const wanted = [...shown].filter((score) => plots.get(score).fresh !== rules.now);
    if (!wanted.length) return;
    const asked = rules.now,
      found = new Map((await ask("/api/histograms", { rules: asked, keys: wanted, bins })).map((h) => [h.key, h]));
    for (const score of wanted) {
      const plot = plots.get(score);
      plot.fresh = asked;
      plot.fill(found.get(score) || null);
    }
  });
  const hear = () => {
    for (const plot of plots.values()) plot.lines();
    refresh();
  };
  rules.heard.add(hear);
  return {
    node,
    plots,
    stop: () => {
      rules.heard.delete(hear);
      sight.disconnect();
      for (const plot of plots.values()) plot.stop();
    },
  };
}

function slider(score, meaning) {
  const picture = svg("svg", { role: "img" }),
    handles = el("div", { className: "handles" }),
    limits = el("div", { className: "limits" });
  const stage = el("div", { className: "stage-of" }, picture, handles),
    unit = meaning && meaning.unit ? GAP + meaning.unit : "";
  const node = el(
    "figure",
    { "data-score": score },
    el("h3", {}, el("code", {}, score)),
    el("p", {}, meaning ? [meaning.about.replace(/\.$/, ""), meaning.unit ? `in ${meaning.unit}` : ""].filter(Boolean).join(", ") : ""),
    stage,
    limits,
  );
  const left = 34,
    right = 8,
    foot = 20,
    head = 22;
  let h = null,
    span = null,
    dragging = null,
    waited = 0;
  const size = () => ({ width: stage.clientWidth, height: stage.clientHeight });
  const toX = (v) => left + clamp((v - span[0]) / (span[1] - span[0] || 1), 0, 1) * (size().width - left - right);
  const toValue = (x) => span[0] + clamp((x - left) / (size().width - left - right || 1), 0, 1) * (span[1] - span[0]);
  const fine = () => 10 ** Math.floor(Math.log10((span[1] - span[0]) / Math.max(60, size().width - left - right)) + 0.3);
  const rounded = (v) => {
    const by = fine();
    return Number((Math.round(v / by) * by).toPrecision(6));
  };

  function draw() {
    const { width, height } = size();
    if (!width || !h) {
      picture.replaceChildren();
      return;
    }
    const base = height - foot,
      sums = h.kept.map((n, i) => n + h.rejected[i]),
      top = Math.max(...sums, 1),
      y = (n) => base - (n / top) * (base - head),
      drawn = [];
    const sum = (list) => list.reduce((a, b) => a + b, 0);
    picture.setAttribute("aria-label", `${score}: ${count(sum(h.kept))} kept, ${count(sum(h.rejected))} rejected`);
    for (const one of limitsOf(score)) {
      const at = toX(one.number),
        above = one.comparison.startsWith(">"),
        below = one.comparison.startsWith("<");
      if (above || below)
        drawn.push(
          svg("rect", {
            class: "outside",
            x: above ? left : at,
            y: head,
            width: Math.max(0, above ? at - left : width - right - at),
            height: base - head,
          }),
        );
    }
    const step = Math.max(1, nice(top, 3));
    for (let n = step; n <= top; n += step)
      drawn.push(
        svg("line", { class: "grid", x1: left, x2: width - right, y1: y(n), y2: y(n) }),
        svg("text", { x: left - 7, y: y(n) + 4, "text-anchor": "end" }, brief(n)),
      );
    h.kept.forEach((kept, i) => {
      const a = toX(h.edges[i]),
        wide = Math.max(0, toX(h.edges[i + 1]) - a - 1);
      if (kept) drawn.push(svg("rect", { class: "bar-kept", x: a, y: y(kept), width: wide, height: base - y(kept) }));
      if (h.rejected[i]) drawn.push(svg("rect", { class: "bar-rejected", x: a, y: y(sums[i]), width: wide, height: y(kept) - y(sums[i]) }));
    });
    drawn.push(svg("line", { class: "axis", x1: left, x2: width - right, y1: base + 0.5, y2: base + 0.5 }));
    for (const v of ticks({ edges: span, log: false }, toX, 40))
      drawn.push(
        svg("line", { class: "axis", x1: toX(v), x2: toX(v), y1: base, y2: base + 4 }),
        svg("text", { x: toX(v), y: base + 16, "text-anchor": toX(v) > width - 20 ? "end" : "middle" }, tickWords(v, span[1] - span[0])),
      );
    picture.replaceChildren(...drawn);
  }
  function lines() {
    if (span) draw();
    const found = limitsOf(score),
      drawn = span ? found.filter((one) => /[<>]/.test(one.comparison)) : [];
    while (handles.children.length > drawn.length) handles.lastChild.remove();
    while (handles.children.length < drawn.length) handles.append(handle());
    drawn.forEach((one, i) => handles.children[i].place(one));
    if (limits.children.length !== found.length + 1 || !found.every((one, i) => limits.children[i].takes(one))) {
      limits.replaceChildren(
        ...found.map(chip),
        found.length || !span ? "" : plain("+ rule", () => add(rounded((span[0] + span[1]) / 2)), { title: `a rule about ${score}` }),
      );
    }
    node.classList.toggle("ruled", found.length > 0);
  }
  function handle() {
    const words = el("span"),
      line = el("div", { className: "handle", tabIndex: 0, role: "slider", "aria-orientation": "horizontal" }, words);
    let one = null,
      before = null;
    line.place = (next) => {
      one = next;
      const at = toX(one.number),
        { width } = size();
      line.style.left = `${at}px`;
      line.classList.toggle("far", at > width * 0.6);
      words.textContent = `${sign[one.comparison]} ${number(one.number, 4)}`;
      for (const [name, value] of [
        ["label", `${score} ${one.comparison}`],
        ["valuemin", short(span[0])],
        ["valuemax", short(span[1])],
        ["valuenow", one.number],
        ["valuetext", `${one.comparison} ${one.number}${unit}`],
      ])
        line.setAttribute(`aria-${name}`, value);
    };
    const move = (v, step) => settle(changedAt(one.index, written(score, one.comparison, v)), { step });
    line.onpointerdown = (event) => {
      if (event.button) return;
      line.setPointerCapture(event.pointerId);
      dragging = line;
      before = rules.now;
      line.focus();
      line.classList.add("held");
      event.preventDefault();
    };
    line.onpointermove = (event) => {
      if (dragging === line) move(rounded(toValue(event.clientX - stage.getBoundingClientRect().left)), false);
    };
    line.onpointerup = line.onpointercancel = () => {
      if (dragging !== line) return;
      dragging = null;
      line.classList.remove("held");
      if (before !== rules.now) {
        remember(before);
        drawChanged();
      }
      rescale();
    };
    line.onkeydown = (event) => {
      const by = nice(span[1] - span[0], 200),
        ways = { ArrowRight: by, ArrowUp: by, ArrowLeft: -by, ArrowDown: -by, PageUp: 10 * by, PageDown: -10 * by };
      if (event.key === "Delete" || event.key === "Backspace") settle(without(one.index));
      else if (event.key === "Home" || event.key === "End") move(span[event.key === "Home" ? 0 : 1], true);
      else if (event.key in ways && !event.altKey) {
        const quick = performance.now() - waited < 700; // keys in quick succession are undone at once
        waited = performance.now();
        move(Number((Math.round((one.number + ways[event.key]) / by) * by).toPrecision(6)), !quick);
      } else return;
      event.preventDefault();
    };
    return line;
  }
  function chip(one) {
    const input = el("input", {
      type: "number",
      step: "any",
      "aria-label": `${score} ${one.comparison}`,
      onchange: () => {
        if (input.value !== "") settle(changedAt(now.index, written(score, now.comparison, Number(input.value))));
      },
    });
    const flip = el("button", {
      type: "button",
      className: "sign",
      title: "Turn round",
      onclick: () => settle(changedAt(now.index, written(score, turned[now.comparison], now.number))),
    });
    const box = el(
      "span",
      { className: "limit" },
      flip,
      input,
      unit ? el("span", { className: "soft" }, unit) : null,
      el(
        "button",
        {
          type: "button",
          className: "sign",
          title: "Remove this rule",
          "aria-label": `Remove the rule ${score} ${one.comparison}`,
          onclick: () => settle(without(now.index)),
        },
        "×",
      ),
    );
    let now = one;
    box.takes = (next) => {
      now = next;
      flip.textContent = sign[next.comparison];
      flip.setAttribute("aria-label", `${score} ${next.comparison}, turn round`);
      if (document.activeElement !== input) input.value = String(next.number);
      return true;
    };
    box.takes(one);
    return box;
  }
  const add = (v) => settle([...rules.now, written(score, ">=", v)]);
  function rescale() {
    if (h) {
      span = [h.edges[0], h.edges.at(-1)];
      lines();
    }
  }
  stage.onclick = (event) => {
    if (span && !limitsOf(score).length && !event.target.closest(".handle"))
      add(rounded(toValue(event.clientX - stage.getBoundingClientRect().left)));
  };
  stage.onpointermove = (event) => {
    if (!h || dragging || event.pointerType === "touch") return;
    const box = stage.getBoundingClientRect(),
      v = toValue(event.clientX - box.left),
      i = clamp(h.edges.findIndex((edge) => edge > v) - 1, 0, h.kept.length - 1);
    if (event.target.closest(".handle")) {
      hideTip();
      return;
    }
    showTip(
      event.clientX,
      box.top + head,
      el("div", {}, `${number(h.edges[i])} – ${number(h.edges[i + 1])}${unit}`),
      el("div", {}, el("b", { className: "kept-ink" }, count(h.kept[i])), ` kept, ${count(h.rejected[i])} rejected`),
      limitsOf(score).length ? "" : el("div", { className: "soft" }, "click for a rule from here"),
    );
  };
  stage.onpointerleave = hideTip;
  stage.redraw = () => {
    if (span) lines();
  };
  resized.observe(stage);
  return {
    node,
    lines,
    fresh: null,
    stop: () => resized.unobserve(stage),
    fill(next) {
      h = next;
      node.classList.toggle("none", !h);
      if (!h) {
        span = null;
        lines();
        handles.replaceChildren(el("p", {}, "Not measured on any clip."));
        return;
      }
      if (!span) handles.replaceChildren();
      if (!dragging || !span) rescale();
      else lines();
    },
  };
}
const brief = (n) => (n >= 1e6 ? `${number(n / 1e6, 3)}M` : n >= 1e3 ? `${number(n / 1e3, 3)}k` : count(n));
const tickWords = (v, wide) => (Math.abs(v) >= 1000 && wide > 5 ? number(v) : String(Number(v.toPrecision(6))).replace("-", "−"));
