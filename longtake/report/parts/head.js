function head() {
  document.title = `${data.name} · longtake`;
  const top = $("top");
  top.append(
    el("div", { className: "colophon" }, el("span", {}, `longtake ${data.version}`), el("span", {}, data.written)),
    el("h1", {}, data.name),
    el("p", { className: "hero" }, el("b", {}, many(totals.videos, "video")), `, ${lasting(totals.video_s)} → `,
      ...(totals.kept ? [el("b", { className: "kept-ink" }, many(totals.kept, data.noun === "take" ? "long take" : data.noun)), `, ${lasting(totals.kept_s)} kept (${share(totals.kept_s, totals.video_s)})`] : ["nothing kept"])),
    el("p", { className: "about" }, "Recipe ", el("b", {}, data.recipe.name), data.recipe.about ? `: ${data.recipe.about.replace(/\.$/, "")}` : "", data.recipe.source ? ` (${data.recipe.source}).` : "."));
  const shown = keptClips.filter((clip) => pictured(videos[clip.video])).slice(0, 60);
  if (shown.length) {
    top.append(el("div", { className: "ribbon", "aria-hidden": "true" }, ...shown.map((clip) => {
      const part = strip(videos[clip.video], clip.start_s, clip.end_s);
      part.style.height = "100%";
      return el("div", { style: { flexGrow: clip.end_s - clip.start_s }, onclick: () => look(clip, keptClips),
        onpointermove: (event) => showTip(event.clientX, part.getBoundingClientRect().top, el("b", {}, exactly(clip.end_s - clip.start_s)), ` ${shownName(clip)}`), onpointerleave: hideTip }, part);
    })), el("p", { className: "caption" }, shown.length < totals.kept ? `${shown.length} of the ${count(totals.kept)} kept ${data.noun}s, as wide as they are long.` : `The kept ${data.noun}s, as wide as they are long.`));
  }
  const lengths = keptClips.map((clip) => clip.end_s - clip.start_s), speed = totals.scan_video_h_per_h, second = data.second_look;
  const facts = [["shots", count(totals.shots)], ["clips", count(totals.clips), totals.joined ? ` ${count(totals.joined)} joined from shots` : ""], [`mean kept ${data.noun}`, totals.kept ? lasting(totals.kept_s / totals.kept) : null],
    [`longest kept ${data.noun}`, lengths.length && lengths.length === totals.kept ? lasting(Math.max(...lengths)) : null],
    ["captions placed", data.spans && data.spans.count ? count(data.spans.good) : null, data.spans ? ` of ${count(data.spans.count)}` : ""], ["clip files", totals.file_bytes ? weight(totals.file_bytes) : "none"],
    ["clean at a second look", second.files ? share(second.clean, second.files) : null, ` of ${many(second.files, "file")}`], ["scanned at", known(speed) ? `${speed < 10 ? number(speed, 2) : count(speed)}${THIN}×` : null, " playing speed"], ["failures", count(totals.failed)]];
  top.append(el("dl", { className: "facts" }, ...facts.filter(([, value]) => value !== null).map(([word, value, more]) =>
    el("div", {}, el("dt", {}, word), el("dd", {}, value, more ? el("small", {}, more) : null)))));
  if (data.not_run.length) {
    top.append(el("div", { className: "not-run" }, el("p", {}, el("b", {}, "Not run."), " The recipe's source also has these; this version does not do them:"),
      el("ul", {}, ...data.not_run.map((step) => el("li", {}, step)))));
  }
  const links = [["funnel", "Funnel", null], ["scores", "Scores", data.histograms.length], ["videos", "Videos", totals.videos], ["kept", "Kept", totals.kept], ...(told ? [["captions", "Captions", data.captions.count]] : []), ...(data.spans ? [["spans", "Spans", data.spans.good]] : []),
    ["rejected", "Rejected", totals.clips - totals.kept], ["failures", "Failures", data.failures_total], ["recipe", "Recipe", null]];
  document.querySelector("nav ul").append(...links.map(([id, word, n]) => el("li", {}, el("a", { href: `#${id}` }, word, n === null ? null : el("span", {}, count(n))))));
  document.querySelector("footer").append(`Left and right arrows move through a ${data.noun} or a time line, Enter opens it, Escape closes. Times count from a video's first frame.`);
}

function funnel() {
  const section = $("funnel"), most = data.funnel[0];
  if (!most || !most.clips) { section.append(el("p", { className: "empty" }, "No clips were found, so there was nothing to choose from.")); return; }
  section.append(el("p", { className: "lead" }, steps.length ? "Each rule takes from what the rule above it left. " : "The recipe has no rules: every clip is kept.", ...tookMost(), steps.some((step) => step.not_asked) ? " A rule takes nothing from clips that no model was asked about." : ""));
  const flow = (left, took, whole) => {
    const percent = (x) => `${x > 0 ? Math.max(0.25, 100 * x / whole) : 0}%`;
    return [el("div", { className: "flow" }, el("i", { style: { width: percent(left) } }), el("i", { style: { width: percent(took) } })), el("div", { className: "fall", style: { width: percent(left) } })];
  };
  const minus = (x, text) => (x > 0 ? `−${THIN}${text}` : "–");
  const rows = data.funnel.map((step, i) => {
    const last = i === data.funnel.length - 1 && i > 0;
    const row = el("tr", { className: last ? "last" : "" },
      el("th", { scope: "row", className: "rule" }, step.rule === null ? step.label : el("code", {}, step.rule),
        step.not_measured || step.not_asked ? el("span", { className: "note" }, [[step.not_measured, "not measured"], [step.not_asked, "not asked"]].filter(([n]) => n).map(([n, word]) => `${count(n)} ${word}`).join(", ")) : null),
      el("td", { className: "n" }, count(step.clips)), el("td", {}, ...flow(step.clips, step.rejected, most.clips)), el("td", { className: "took" }, step.rule === null ? "" : minus(step.rejected, count(step.rejected))),
      el("td", { className: "n time" }, lasting(step.seconds)), el("td", { className: "time" }, ...flow(step.seconds, step.rejected_s, most.seconds || 1)), el("td", { className: "took time" }, step.rule === null ? "" : minus(step.rejected_s, lasting(step.rejected_s))));
    if (i === data.funnel.length - 1) for (const fall of row.querySelectorAll(".fall")) fall.remove();
    return row;
  });
  section.append(el("table", { className: "funnel" },
    el("thead", {}, el("tr", {}, el("th", { className: "rule" }, "rule"), el("th", { className: "n" }), el("th", {}, "clips left"), el("th", { className: "took" }, "taken"),
      el("th", { className: "n time" }), el("th", { className: "time" }, "time left"), el("th", { className: "took time" }, "taken"))),
    el("tbody", {}, ...rows)));
}

function scores() {
  const section = $("scores");
  if (!data.histograms.length) { section.append(el("p", { className: "empty" }, "No scores were measured.")); return; }
  section.append(el("div", { className: "bar-of-tools" }, el("span", { className: "legend" },
    el("span", {}, el("i", { style: { background: "var(--kept)" } }), "kept"), el("span", {}, el("i", { style: { background: "var(--rejected)" } }), "rejected"),
    el("span", {}, el("i", { className: "tick", style: { background: "var(--ink)", width: "1.5px" } }), "a rule; the shaded side fails it"))));
  const ruled = data.histograms.filter((h) => h.thresholds.length), others = data.histograms.filter((h) => !h.thresholds.length);
  const plots = (some) => el("div", { className: "plots" }, ...some.map(histogram));
  if (ruled.length) section.append(plots(ruled));
  // A recipe may measure some sixty scores: what no rule goes by must not stand between the rules and the clips.
  if (others.length) section.append(el("details", { open: !ruled.length || others.length <= 6 }, el("summary", {}, `${many(others.length, ruled.length ? "other score" : "score")}, no rule on ${others.length > 1 ? "them" : "it"}`), plots(others)));
}
