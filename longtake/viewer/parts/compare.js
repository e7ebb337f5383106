// This set and another of the same videos: what entered, what left, and why.
async function compareView(main, _, params) {
  if (!set.has.other) {
    main.append(
      el(
        "div",
        { className: "hello" },
        el("h1", {}, "Compare"),
        el(
          "p",
          { className: "hero" },
          "There is nothing to compare with. Name another set of the same videos: ",
          el("code", {}, "longtake view SET --with OTHER"),
        ),
      ),
    );
    return () => {};
  }
  const told = await ask("/api/compare"),
    words = { entered: `only in ${set.name}`, left: `only in ${told.other}`, both: "in both" };
  let side = params.get("side") in words ? params.get("side") : told.entered ? "entered" : told.left ? "left" : "both";
  const why = (which, title) => {
    const rows = told.why.filter((one) => one.side === which),
      most = Math.max(...rows.map((one) => one.n), 1);
    return el(
      "div",
      { className: "reasons-of" },
      el("h3", {}, title),
      rows.length
        ? el(
            "dl",
            { className: "shares" },
            ...rows.flatMap((row) => {
              const bar = el("i");
              bar.style.width = `${(100 * row.n) / most}%`;
              return [
                el("dt", {}, row.rule === null ? "no such clip there" : el("code", {}, row.rule)),
                el("dd", {}, bar, el("span", {}, count(row.n))),
              ];
            }),
          )
        : el("p", { className: "soft" }, "None."),
    );
  };
  const tiles = wall({
    label: "Clips compared",
    wide: Number(stored("tile", 17)),
    fetchPage: async (offset, limit, signal) => {
      const page = await ask("/api/compare/clips", { side, offset, limit }, signal);
      return { ...page, clips: page.clips.map((clip) => fromThere(clip, page.prefix)) };
    },
    hrefOf: (clip) => (side === "left" ? null : link("clip", {}, clip.id)),
  });
  const total = told.left + told.both,
    sides = choice(
      "Which clips",
      ["entered", "left", "both"].map((one) => [one, words[one], el("span", {}, count(told[one]))]),
      side,
      (one) => {
        side = one;
        history.replaceState(null, "", link("compare", { side }));
        tiles.refill();
      },
    );
  main.append(
    el(
      "div",
      { className: "hello" },
      el("h1", {}, set.name, el("span", { className: "soft" }, " and "), told.other),
      el(
        "p",
        { className: "hero" },
        "Of the ",
        el("b", {}, many(total, "clip")),
        ` that ${told.other} keeps, `,
        el("b", {}, count(told.left)),
        ` ${told.left === 1 ? "is" : "are"} not kept here; `,
        el("b", { className: "kept-ink" }, count(told.entered)),
        ` ${told.entered === 1 ? "is" : "are"} new. ${many(told.both, "clip")} ${told.both === 1 ? "is" : "are"} in both`,
        told.moved ? `, ${count(told.moved)} with other ends.` : ".",
      ),
    ),
    el(
      "div",
      { className: "two" },
      why("entered", `Why ${told.other} did not keep what entered`),
      why("left", `Why ${set.name} does not keep what left`),
    ),
    el("div", { className: "tool-rows" }, el("div", { className: "tools" }, sides)),
    el("div", { className: "middle-of short" }, tiles.node),
  );
  tiles.refill();
  return () => tiles.stop();
}

// A clip of the other set, whose pictures and file are answered under a name of their own.
function fromThere(clip, from) {
  return { ...clip, from, sheet: clip.sheet && { ...clip.sheet, files: clip.sheet.files.map((file) => from + file) } };
}
