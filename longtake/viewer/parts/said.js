// All that was said of a clip, side by side: who said it, by which prompt, of which frames, and what is wrong with it.
const isPart = (one, length) => known(one.start_s) && known(one.end_s) && (one.start_s > 0.05 || one.end_s < length - 0.05);
function saidOf(clip, player) {
  if (!clip.captions.length) return { node: null, play: () => {} };
  const length = clip.end_s - clip.start_s,
    timed = [],
    inTime = (one) => isPart(one, length);
  const once = (list, of) => [...new Set(list.map(of).filter((x) => x !== null && x !== undefined && x !== ""))];
  function saying(one, parted) {
    const node = el(
      "div",
      { className: `saying${one.problems.length ? " aside" : ""}` },
      parted
        ? el(
            "button",
            {
              type: "button",
              className: "link when",
              onclick: () => {
                player.seek(one.start_s);
                player.show();
              },
            },
            between(one.start_s, one.end_s),
          )
        : null,
      el("p", { className: "words", dir: "auto" }, one.text || "no text"),
      one.problems.length ? el("p", { className: "reasons" }, `set aside: ${one.problems.join("; ")}`) : null,
    );
    if (parted) timed.push([one, node]);
    return node;
  }
  function provenance(list) {
    const models = once(list, (one) => one.model),
      prompts = once(list, (one) => one.prompt),
      sum = (of) => list.reduce((all, one) => all + (of(one) || 0), 0);
    const tokens = sum((one) => one.tokens && one.tokens.prompt + one.tokens.completion),
      cost = sum((one) => one.cost_usd);
    return [
      el(
        "p",
        { className: "by" },
        [models.length ? models.join(" or ") : "without a model", tokens ? `${count(tokens)} tokens` : null, cost ? `$${cost.toPrecision(2)}` : null]
          .filter(Boolean)
          .join("  ·  "),
      ),
      prompts.length ? el("details", {}, el("summary", {}, "What was asked"), el("pre", { tabIndex: 0 }, prompts.join("\n\n"))) : null,
    ];
  }
  function frames(list) {
    const times = once(
      list.flatMap((one) => one.frames_s || []).map((t) => ({ t })),
      (one) => one.t,
    )
      .sort((a, b) => a - b)
      .slice(0, 24);
    if (!times.length) return null;
    const shown = el("div", { className: "saw" });
    return el(
      "details",
      {
        ontoggle: (event) => {
          if (event.target.open && !shown.children.length)
            shown.append(
              ...times.map((t) =>
                el(
                  "button",
                  {
                    type: "button",
                    title: `frame at ${exactTime(t)}`,
                    onclick: () => {
                      player.video.pause();
                      player.seek(t);
                      player.show();
                    },
                  },
                  el("img", {
                    alt: `frame at ${exactTime(t)}`,
                    loading: "lazy",
                    src: `/media/frame/${encodeURIComponent(clip.id)}?t=${t.toFixed(4)}&width=240`,
                  }),
                  el("span", {}, exactTime(t)),
                ),
              ),
            );
        },
      },
      el("summary", {}, times.length === 1 ? "The frame it saw" : `The ${times.length} frames it saw`),
      shown,
    );
  }
  const columns = grouped(clip.captions, (one) => `${one.step}\u0000${one.kind}`).map(([name, list]) => {
    const [step, kind] = name.split("\u0000"),
      parted = list.some(inTime);
    return el(
      "article",
      { className: "said-by" },
      el("h3", {}, kind.replaceAll("_", " "), el("code", {}, step)),
      ...list.map((one) => saying(one, parted && known(one.start_s))),
      ...provenance(list),
      frames(list),
    );
  });
  return {
    node: el("section", {}, el("h2", {}, "Captions"), el("div", { className: "said-columns" }, ...columns)),
    play: (t) => {
      for (const [one, node] of timed) node.classList.toggle("now", one.start_s <= t && t < one.end_s);
    },
  };
}
