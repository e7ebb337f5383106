// One clip: its file, its place in its video, what was said of it, and every score with its rule.
const onKeys = (keys) => {
  const press = (event) => {
    const typing = event.target.closest("input:not([type=range]), textarea, select") || document.querySelector("dialog[open]");
    const name =
      event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !(name in keys)) return;
    if (name === " " && event.target.closest("button, a, summary")) return;
    if (name.startsWith("Arrow") && event.target.closest("input, [role=slider]")) return;
    event.preventDefault();
    keys[name]();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
};
const detail = (id) =>
  ask(`/api/clips/${encodeURIComponent(id)}?rules=${encodeURIComponent(JSON.stringify(rules.now))}&judge=${encodeURIComponent(nameOfJudge())}`);
// The clips before and after, in the order in which clips were looked through.
async function around(clip, at) {
  if (!trail || at === null) return { previous: clip.neighbours.previous, next: clip.neighbours.next, total: null, at: null };
  const first = Math.max(0, at - 1),
    told = await ask("/api/clips", { ...asked(trail.asked), offset: first, limit: 3 }),
    place = told.clips.findIndex((one) => one.id === clip.id);
  if (place < 0) return { previous: clip.neighbours.previous, next: clip.neighbours.next, total: null, at: null };
  return { previous: told.clips[place - 1]?.id, next: told.clips[place + 1]?.id, total: told.total, at: first + place };
}
async function clipView(main, id, params) {
  const stops = [],
    clip = await detail(id),
    at = params.has("at") && trail ? Number(params.get("at")) : null;
  clip.sheet = clip.sheet || null;
  let parts = [];
  const player = playerOf(clip, {
    autoplay: !params.has("t"),
    onframe: (t) => {
      for (const part of parts) part.play(t);
    },
  });
  const near = await around(clip, at);
  if (trail && near.at !== null) Object.assign(trail, { at: near.at, back: true });
  const to = (other, place) => (other ? link("clip", place === null ? {} : { at: place }, other) : null);
  const steps = [
    ["Previous", near.previous, near.at === null ? null : near.at - 1, "←"],
    ["Next", near.next, near.at === null ? null : near.at + 1, "→"],
  ].map(([word, other, place, name]) =>
    other ? el("a", { className: "plain", href: to(other, place), title: name }, word) : el("span", { className: "plain off" }, word),
  );
  const back = el("a", { className: "plain", href: backToClips() }, "All");
  const reason = clip.rejected_by
    ? why({
        ...clip,
        rejected_by: clip.rejected_by.replace(" (not measured)", ""),
        rejected_value: clip.scores.find((one) => one.key === ruleParts(clip.rejected_by).key)?.value,
      })
    : "rejected";
  const said = saidOf(clip, player),
    facts = [
      ["time", between(clip.start_s, clip.end_s)],
      ["frames", known(clip.start_frame) ? `${count(clip.start_frame)} to ${count(clip.end_frame)}` : null],
      ["picture", clip.width ? `${clip.width}\u2009×\u2009${clip.height}, ${number(clip.fps, 4)}${GAP}fps, ${clip.codec}` : null],
      ["file", clip.file ? "written" : "none was written"],
      ["copies", clip.copies ? copiesOf(clip) : null],
      ["made by", clip.made_by ? [clip.made_by.recipe, clip.made_by.version].filter(Boolean).join(", longtake ") : null],
      ["id", el("code", {}, clip.id)],
    ];
  const quick = judgeBar(clip);
  main.append(
    el(
      "div",
      { className: "clip-page" },
      el(
        "div",
        { className: "clip-head" },
        el(
          "div",
          {},
          el(
            "h1",
            {},
            exactly(clip.end_s - clip.start_s),
            el("span", { className: clip.kept ? "kept-ink" : "why-ink" }, clip.kept ? "kept" : reason),
          ),
          el("p", { className: "soft path", title: clip.path }, clip.name),
        ),
        el(
          "nav",
          { className: "steps", "aria-label": "Clips" },
          near.total ? el("span", { className: "soft" }, `${count(near.at + 1)} of ${count(near.total)}`) : null,
          ...steps,
          back,
          set.has.like ? el("a", { className: "plain", href: link("clips", { like: clip.id, show: "all" }) }, "More like this") : null,
        ),
      ),
      el(
        "div",
        { className: "watch" },
        player.node,
        el(
          "div",
          { className: "facts-of" },
          quick.node,
          el("dl", {}, ...facts.filter(([, value]) => value !== null).flatMap(([word, value]) => [el("dt", {}, word), el("dd", {}, value)])),
          joinedOf(clip, player),
          listedOf(clip),
        ),
      ),
    ),
  );
  const page = main.firstChild,
    reelHere = el("div"),
    heatHere = el("div");
  page.append(reelHere, ...(said.node ? [said.node] : []), scoresOfClip(clip), heatHere);
  if (params.has("t")) player.seek(Number(params.get("t")));
  parts = [said];
  stops.push(
    () => player.stop(),
    quick.stop,
    onKeys({
      ...player.keys,
      ...quick.keys,
      ArrowRight: () => {
        if (near.next) location.hash = steps[1].getAttribute("href");
      },
      ArrowLeft: () => {
        if (near.previous) location.hash = steps[0].getAttribute("href");
      },
      "Shift+ArrowRight": () => player.seek(Math.min(clip.end_s - clip.start_s, player.time() + 1)),
      "Shift+ArrowLeft": () => player.seek(Math.max(0, player.time() - 1)),
    }),
  );
  let gone = false;
  stops.push(() => {
    gone = true;
  });
  ask(`/api/videos/${encodeURIComponent(clip.video_id)}?rules=${encodeURIComponent(JSON.stringify(rules.now))}`)
    .then((video) => {
      if (gone) return;
      clip.sheet = video.sheet;
      const reel = reelOf(video, clip, player);
      parts.push(reel);
      stops.push(reel.stop);
      reelHere.replaceWith(reel.node);
      reel.play(player.time());
      if (video.similarity && video.similarity.matrix.length > 2) {
        const heat = heatOf(video, clip);
        heatHere.replaceWith(heat.node);
        stops.push(heat.stop);
      }
    })
    .catch(complain);
  return () => {
    for (const stop of stops) stop();
  };
}
const COPIES_SHOWN = 12;
function copiesOf(clip) {
  const { size, rank, others } = clip.copies,
    links = others.slice(0, COPIES_SHOWN).flatMap((id, i) => [" ", el("a", { href: link("clip", {}, id), title: id }, String(i + 1))]);
  return el("span", {}, `${many(size, "clip")} show this footage, this is number ${rank}; others:`, ...links);
}
function joinedOf(clip, player) {
  if (!clip.joined.length) return null;
  const votes = (one) =>
    clip.votes
      .filter((vote) => Math.abs(vote.start_s - one.start_s) < 0.002)
      .map((vote) => `${vote.voter}: ${vote.joins === null ? "can’t tell" : vote.joins ? "yes" : "no"}`)
      .join(", ");
  return el(
    "div",
    {},
    el("h3", {}, `Joins ${many(clip.joined.length + 1, "shot")}`),
    el(
      "ul",
      {},
      ...clip.joined.map((one) =>
        el(
          "li",
          {},
          el(
            "button",
            {
              type: "button",
              className: "link",
              onclick: () => {
                player.seek(Math.max(0, one.start_s - 1), true);
                player.show();
              },
            },
            `${one.kind} at ${clock(one.start_s)}`,
          ),
          votes(one) ? el("span", { className: "soft" }, `  ${votes(one)}`) : null,
        ),
      ),
    ),
  );
}
function listedOf(clip) {
  if (!clip.listed.length) return null;
  return el(
    "details",
    {},
    el("summary", {}, `On ${many(clip.listed.length, "published row")}`),
    el(
      "div",
      { className: "listed" },
      ...clip.listed.map((row) =>
        el(
          "dl",
          {},
          ...Object.entries(row)
            .filter(([, value]) => value !== null && value !== "" && (typeof value !== "object" || Object.keys(value).length))
            .flatMap(([word, value]) => [
              el("dt", {}, word.replaceAll("_", " ")),
              el("dd", {}, typeof value === "object" ? JSON.stringify(value) : String(value)),
            ]),
        ),
      ),
    ),
  );
}
function scoresOfClip(clip) {
  const asks = (one) => (one.rules && one.rules.length ? 0 : 1),
    groups = grouped(
      [...clip.scores].sort((a, b) => asks(a) - asks(b)),
      (one) => (!asks(one) ? "\u0000" : one.key.includes(".") ? one.key.split(".")[0] : "clip"),
    );
  const row = (one) =>
    el(
      "tr",
      { className: (one.rules || []).some((rule) => rule.holds === false) && known(one.value) ? "no" : "" },
      el("th", { scope: "row", title: one.about || "" }, one.key),
      el("td", {}, known(one.value) ? number(one.value) : "–", known(one.value) && one.unit ? el("small", {}, ` ${one.unit}`) : ""),
      el(
        "td",
        { className: "verdict" },
        ...(one.rules || []).map((rule) =>
          el(
            "span",
            { className: rule.holds ? "kept-ink" : known(one.value) ? "alarm-ink" : "soft" },
            `${rule.holds === null ? "not asked yet" : rule.holds ? "holds" : known(one.value) ? "fails" : "not measured"} `,
            el("code", {}, ruleParts(rule.rule).test || rule.rule),
          ),
        ),
      ),
    );
  return el(
    "section",
    {},
    el("h2", {}, "Scores"),
    el(
      "div",
      { className: "score-groups" },
      ...groups.map(([name, list]) =>
        el("table", {}, el("caption", {}, name === "\u0000" ? "asked by rules" : name), el("tbody", {}, ...list.map(row))),
      ),
    ),
  );
}
