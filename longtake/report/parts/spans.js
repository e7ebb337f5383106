// Captions with their places: the positive, where each holds, and the negative span around it, where it holds nowhere else.
function spans() {
  const section = $("spans"), all = data.spans;
  if (!all) { section.remove(); return; }
  if (!all.count) {
    section.append(el("p", { className: "empty" }, ...(data.captions.count ? ["No caption has been placed in its video yet; type: ", el("code", {}, all.command)] : ["Spans are made of captions, and there are none yet."])));
    return;
  }
  const lead = all.good ? `${count(all.good)} of ${many(all.count, "caption")} ${all.good === 1 ? "has its" : "have their"} place in ${many(all.videos, "video")}: a positive, where the caption holds, and around it a negative span, where it holds nowhere else.`
    : `No caption has a place yet: all ${count(all.count)} were rejected.`;
  section.append(el("p", { className: "lead" }, lead, all.scored ? "" : " The signal has no place for texts, so no caption was weighed against pictures."));
  if (all.histograms.length) {
    section.append(el("div", { className: "plots small" }, ...all.histograms.map((h) => el("figure", {}, el("h3", {}, h.key), el("p", {}, [h.about, h.unit ? `in ${h.unit}` : ""].filter(Boolean).join(", ")), bars(h, ["good", "rejected"])))));
  }
  if (all.rejected.length) {
    section.append(el("h3", {}, "Why captions were rejected"), table("Captions rejected", "rows sums", ["why", "captions"], all.rejected.map(([why, n]) => [why, count(n)])));
    if (all.reasons > all.rejected.length) section.append(el("p", { className: "small soft" }, `${count(all.reasons - all.rejected.length)} more reasons are in the set.`));
  }
  const shown = all.films.reduce((sum, one) => sum + one.spans.length, 0), list = el("div", { className: "placings" });
  section.append(el("h3", {}, "On time lines"), el("div", { className: "bar-of-tools" }, shown < all.count ? el("span", {}, `A sample: ${count(shown)} of ${many(all.count, "caption")}.`) : null,
    el("span", { className: "legend" }, ...[["positive", "positive"], ["negative", "negative span"], ["alike", "looks alike"], ["scenes", `${data.noun}s`]].map(([name, word]) => el("span", {}, el("i", { className: `swatch ${name}` }), word)))), list);
  inParts(section, list, all.films, 5, placing, (n) => `Show all ${count(n)} videos`);
}

// One video with some of its captions: the one that is pointed at is drawn on the time line.
function placing({ video: place, spans: list }) {
  const video = videos[place], length = video.duration_s || 1, at = along(length), { takes } = takesOf(video);
  const within = ([start, end], t) => t >= start && t < end, box = (className, [start, end], ...more) => el("i", { className, style: { left: at(start), width: at(end - start) } }, ...more);
  const good = list.filter((span) => !span.rejected_by);
  let shown = good.find((span) => span.similar.length) || good[0] || list[0];   // one that tells most, until another is pointed at
  function tell(t, slack) {
    const alike = shown.similar.find((one) => within(one, t)), edge = shown.negative.findIndex((end) => Math.abs(end - t) <= slack);
    if (within(shown.positive, t)) return ["positive"];
    if (edge >= 0) return [shown.edges[edge]];
    return [alike ? `looks alike, ${number(alike[2], 2)}` : within(shown.negative, t) ? "in the negative span" : "outside"];
  }
  const open = (t) => { const take = takes.find(({ start, end }) => within([start, end], t)), clip = take && byId.get(take.id); if (clip) look(clip, clip.kept ? keptClips : rejectedClips, { from: t - clip.start_s }); };
  const line = timeline(video, `spans in ${video.path}`, tell, open), over = el("div", { className: "over" }), lane = el("div", { className: "lane" });
  const scenes = svg("svg", { class: "scenes", "aria-hidden": "true" }, ...takes.map(({ start, end }, i) => svg("rect", { class: i % 2 ? "odd" : "even", x: at(start), width: at(end - start), height: "100%" })));
  line.prepend(...(pictured(video) ? [strip(video, 0, length)] : []), scenes, lane, over);
  const says = [0, 1].map(() => el("span")), middle = el("span", { className: "middle" });
  const buttons = list.map((span) => {
    const clip = byId.get(span.clip_id), facts = [
      known(span.score) ? `score ${number(span.score, 2)}` + (known(span.rival) ? `, best other ${number(span.rival, 2)}` : "") : null,
      span.similar.length ? `${many(span.similar.length + span.similar_left_out, data.noun)} ${span.similar.length + span.similar_left_out === 1 ? "looks" : "look"} alike` : null, span.places.length ? `places: ${span.places.join(", ")}` : null];
    let primed = false;
    return el("button", { type: "button", className: span.rejected_by ? "placed aside" : "placed",
      onpointerenter: (event) => { if (event.pointerType !== "touch") choose(span); }, onfocus: () => choose(span),
      onpointerdown: (event) => { primed = event.pointerType !== "touch" || shown === span; },
      onclick: (event) => { const ready = primed || event.detail === 0; choose(span); if (clip && ready) look(clip, clip.kept ? keptClips : rejectedClips, { from: Math.max(0, span.said[0] - clip.start_s) }); } },
      el("span", { className: "placed-head" }, el("b", {}, between(...span.positive)), el("span", {}, `${span.step} ${span.kind.replaceAll("_", " ")}`)),
      el("span", { className: "card-say", dir: "auto" }, span.text || "no text"),
      span.rejected_by ? el("span", { className: "card-line why" }, span.rejected_by) : null, el("span", { className: "card-line measures" }, ...facts.filter(Boolean).map((fact) => el("span", {}, fact))));
  });
  function choose(span) {
    shown = span;
    list.forEach((one, i) => buttons[i].classList.toggle("now", one === span));
    const [from, to] = span.negative, aside = span.rejected_by ? " aside" : "";
    over.replaceChildren(...(from > 0 ? [box("veil", [0, from])] : []), ...(to < length ? [box("veil", [to, length])] : []), ...span.similar.map((one) => box("alike", one)), box(`positive${aside}`, span.positive));
    lane.replaceChildren(box(`negative${aside}`, span.negative), ...span.similar.map((one) => box("alike", one)), box(`positive${aside}`, span.positive));
    says.forEach((node, side) => node.replaceChildren(el("b", {}, clock(span.negative[side])), ` ${span.edges[side]}`));
    const grown = Math.abs(span.said[0] - span.positive[0]) + Math.abs(span.said[1] - span.positive[1]) > 0.05 ? `, grown from ${between(...span.said)}` : "";
    middle.textContent = `positive ${exactly(span.positive[1] - span.positive[0])} in ${exactly(to - from)}${grown}`;
  }
  choose(shown);
  const facts = [exactly(video.duration_s), many(takes.length, data.noun), `${many(list.length, "caption")} shown`];
  return el("div", { className: "placing" },
    el("div", { className: "reel-head" }, el("span", { className: "name", title: video.path }, shortly(video.path)), el("span", {}, facts.join("  ·  "))),
    el("div", { className: "stage" }, line, el("div", { className: "edges" }, says[0], middle, says[1])), el("div", { className: "placed-list" }, ...buttons));
}
