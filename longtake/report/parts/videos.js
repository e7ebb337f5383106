function reels() {
  const section = $("videos"), found = {};
  for (const video of videos) for (const [, , kind] of video.transitions) found[kind] = (found[kind] || 0) + 1;
  if (!videos.length) { section.append(el("p", { className: "empty" }, "No video could be read.")); return; }
  const about = [videos.length < totals.videos ? `${count(videos.length)} of ${count(totals.videos)} videos. ` : "", shared.some(Boolean) ? `All in ${shared.join("/")}/` : ""].join("");
  if (about) section.append(el("p", { className: "lead", style: { overflowWrap: "anywhere" } }, about));
  section.append(el("div", { className: "bar-of-tools" }, el("span", { className: "legend" },
    el("span", {}, el("i", { style: { background: "var(--kept)" } }), `kept ${data.noun}`), el("span", {}, el("i", { style: { background: "var(--rejected)" } }), "rejected"),
    ...kinds.filter((kind) => found[kind]).map((kind) => el("span", {}, el("i", { className: "tick", style: { background: tint(kind) } }), many(found[kind], kind))),
    totals.joined ? el("span", {}, el("i", { className: "tick inner", style: { background: "var(--cut)" } }), `inside a ${data.noun}`) : null)));
  const list = el("div", { className: "reels" });
  section.append(list);
  inParts(section, list, videos, 24, reel, (n) => `Show all ${count(n)} videos`);
}
function reel(video) {
  const length = video.duration_s || 1, at = along(length), { takes, outside } = takesOf(video);
  const takeAt = (t) => takes.find((take) => t >= take.start && t < take.end), holds = ([start, end], t) => t >= start && t < end;
  const line = timeline(video, `time line of ${video.path}`, (t) => {
    const take = takeAt(t), edge = video.transitions.find((transition) => holds(transition, t));
    return take ? [`${take.verdict}, ${exactly(take.end - take.start)}`, joining(take.joins.length), edge ? edge[2] : ""].filter(Boolean) : [edge ? edge[2] : "between clips"];
  }, (t) => { const take = takeAt(t), clip = take && byId.get(take.id); if (clip) look(clip, clip.kept ? keptClips : rejectedClips); });
  const parts = [];
  if (pictured(video)) {
    parts.push(strip(video, 0, length));
    let from = 0;
    for (const { start, end } of [...takes.filter((take) => take.verdict === "kept"), { start: length, end: length }]) {
      if (start > from + 1e-4) parts.push(el("div", { className: "veil", style: { left: at(from), width: at(start - from) } }));
      from = end;
    }
  }
  const track = svg("svg", { class: "track", "aria-hidden": "true" });
  const mark = ([start, end, kind], inner) => {
    const thin = end - start < length / 400, tall = kind === "cut" && !inner;
    track.append(svg("rect", { class: inner ? "inner" : "", x: at(start), width: thin ? (kind === "cut" ? "1.5" : "3") : at(end - start), y: tall ? 0 : "22%", height: tall ? "100%" : "56%", style: `fill: ${tint(kind)}` }));
  };
  for (const { start, end, verdict, joins } of takes) {
    const wide = Math.max(0, end - start);
    track.append(svg("rect", { class: verdict, x: at(start), width: at(wide), y: verdict === "kept" ? "26%" : "40%", height: verdict === "kept" ? "48%" : "20%" }));
    for (const transition of joins) mark(transition, true);
  }
  for (const transition of outside) mark(transition, false);
  line.prepend(...parts, track);
  const facts = [exactly(video.duration_s), video.width && video.height ? `${video.width}\u2009×\u2009${video.height}` : null, known(video.fps) ? `${number(video.fps, 4)}${GAP}fps` : null, video.codec, many(video.shots, "shot")];
  return el("div", { className: "reel" },
    el("div", { className: "reel-head" }, el("span", { className: "name", title: video.path }, shortly(video.path)), el("span", {}, facts.filter(Boolean).join("  ·  "), video.kept ? el("b", { className: "kept-ink" }, `  ·  ${count(video.kept)} kept`) : "")),
    line, video.damage.length ? el("p", { className: "damage" }, video.damage.join("; ")) : null);
}
