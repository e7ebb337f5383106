// The set as a whole: what rules leave of it, its scores, and the plots that papers print.
function overview(main) {
  const t = set.totals,
    hero = el("p", { className: "hero", "aria-live": "polite" }),
    funnel = flowing();
  const noun = set.noun === "take" ? "long take" : set.noun;
  const top = () =>
    hero.replaceChildren(
      el("b", {}, many(t.videos, "video")),
      `, ${lasting(t.video_s)} → `,
      ...(rules.kept
        ? [el("b", { className: "kept-ink" }, many(rules.kept, noun)), `, ${lasting(rules.kept_s)} kept (${share(rules.kept_s, t.video_s)})`]
        : [rules.kept === 0 ? "nothing kept" : ""]),
    );
  const facts = [
    ["shots", count(t.shots)],
    ["clips", count(t.clips), ` ${lasting(t.clip_s)}`],
    ["captions", set.captions.length ? count(set.captions.reduce((sum, one) => sum + one.count, 0)) : "none"],
    ["clip files", t.file_bytes ? weight(t.file_bytes) : "none"],
    ["judged", count(set.judged.clips), set.judged.judges.length ? ` by ${many(set.judged.judges.length, "person", "people")}` : ""],
    ["failures", count(t.failed)],
  ];
  const ribbon = el("div", { hidden: true }),
    papers = el("section", { id: "papers" }),
    section = el("section", { id: "scores" });
  let gone = false;
  ask("/api/clips", { rules: rules.now, limit: 48 })
    .then((answer) => {
      if (!gone) ribboned(ribbon, answer);
    })
    .catch(complain);
  main.append(
    el(
      "div",
      { className: "hello" },
      el("h1", {}, set.name),
      hero,
      el(
        "p",
        { className: "about" },
        "Recipe ",
        el("b", {}, set.recipe.name),
        set.recipe.about ? `: ${set.recipe.about.replace(/\.$/, "")}` : "",
        set.recipe.source ? ` (${set.recipe.source}).` : ".",
      ),
      ribbon,
      el(
        "dl",
        { className: "facts" },
        ...facts.map(([word, value, more]) => el("div", {}, el("dt", {}, word), el("dd", {}, value, more ? el("small", {}, more) : null))),
      ),
    ),
    el(
      "section",
      { id: "funnel" },
      el("h2", {}, "What is kept, and why"),
      el("p", { className: "lead" }, "Each rule takes from what the rule above it left. Drag a line below, and this follows."),
      funnel.node,
      adding(),
    ),
    section,
    papers,
  );
  const scores = scoresOf(section),
    print = printed(papers);
  const draw = () => {
    top();
    funnel.draw();
  };
  told.add(draw);
  draw();
  return () => {
    gone = true;
    told.delete(draw);
    scores.stop();
    print.stop();
  };
}
// Kept clips in a row, each as wide as it is long.
function ribboned(box, { clips, total }) {
  const shown = clips.filter((clip) => pictured({ preview: clip.sheet }));
  if (!shown.length) return;
  box.hidden = false;
  box.append(
    el(
      "div",
      { className: "ribbon" },
      ...shown.map((clip) => {
        const part = strip({ preview: clip.sheet }, clip.start_s, clip.end_s),
          node = el("a", { href: link("clip", {}, clip.id), tabIndex: -1, "aria-hidden": "true" }, part);
        node.style.flexGrow = clip.end_s - clip.start_s;
        node.onpointermove = (event) =>
          showTip(event.clientX, part.getBoundingClientRect().top, el("b", {}, exactly(clip.end_s - clip.start_s)), ` ${clip.name}`);
        node.onpointerleave = hideTip;
        return node;
      }),
    ),
    el(
      "p",
      { className: "caption" },
      shown.length < total
        ? `${shown.length} of the ${count(total)} kept ${set.noun}s, as wide as they are long.`
        : `The kept ${set.noun}s, as wide as they are long.`,
    ),
  );
}
// A rule in words, for those who know what they want.
function adding() {
  const known = el("datalist", { id: "known-scores" }, ...set.scores.map((one) => el("option", { value: `${one.key} >= ` })));
  const input = el("input", { type: "text", placeholder: "motion.mean >= 0.08", spellcheck: false, autocomplete: "off", "aria-label": "A new rule" }),
    wrong = el("span", { className: "alarm-ink", role: "status" });
  input.setAttribute("list", "known-scores");
  return el(
    "form",
    {
      className: "adding",
      onsubmit: async (event) => {
        event.preventDefault();
        wrong.textContent = "";
        try {
          await ask("/api/select", { rules: [...rules.now, input.value] });
          settle([...rules.now, input.value.trim()]);
          input.value = "";
        } catch (error) {
          wrong.textContent = error.message;
        }
      },
    },
    known,
    input,
    el("button", { type: "submit", className: "plain" }, "Add a rule"),
    wrong,
  );
}
// Scores that rules ask about come first; the order then stays, whatever rules come.
function ordered() {
  const asked = rules.now.map((text) => ruleParts(text).key),
    rank = (one) => {
      const i = asked.indexOf(one.key);
      return one.key === "duration_s" ? -1 : i < 0 ? asked.length : i;
    };
  return [...set.scores].sort((a, b) => rank(a) - rank(b));
}
function scoresOf(section) {
  const list = ordered(),
    about = new Map(list.map((one) => [one.key, one])),
    plots = board(
      list.map((one) => one.key),
      { about },
    );
  const none = el("p", { className: "empty", hidden: true }, "No score has that in its name or meaning.");
  const find = el("input", {
    type: "search",
    placeholder: "Find a score",
    "aria-label": "Find a score",
    oninput: () => {
      const words = find.value.toLowerCase().split(/\s+/),
        fits = (one) => words.every((word) => `${one.key} ${one.about}`.toLowerCase().includes(word));
      for (const one of list) plots.plots.get(one.key).node.hidden = !fits(one);
      none.hidden = list.some(fits);
    },
  });
  section.append(
    el("h2", {}, "Scores"),
    el("p", { className: "lead" }, "Drag a line to move a rule, or use the arrow keys on it. Click a plot that has none to add one."),
    el(
      "div",
      { className: "bar-of-tools" },
      find,
      el(
        "span",
        { className: "legend" },
        el("span", {}, el("i", { className: "is-kept" }), "kept"),
        el("span", {}, el("i", { className: "is-rejected" }), "rejected"),
        el("span", {}, el("i", { className: "tick is-rule" }), "a rule; the shaded side fails it"),
      ),
    ),
    plots.node,
    none,
  );
  return plots;
}

// How long clips and captions are, which words they use, how cameras move.
function printed(section) {
  const one = newest();
  async function draw() {
    let told;
    try {
      told = await one(`/api/plots?rules=${encodeURIComponent(JSON.stringify(rules.now))}`);
    } catch (error) {
      complain(error);
      return;
    }
    const figure = (title, about, ...rest) => el("figure", {}, el("h3", {}, title), el("p", {}, about), ...rest),
      parts = [];
    if (told.durations)
      parts.push(figure("How long clips are", "kept and rejected, in s", bars({ ...told.durations, key: "length" }, ["kept", "rejected"])));
    for (const kind of told.words)
      parts.push(
        figure(
          el("span", {}, "Words in a caption: ", el("code", {}, kind.step), ` ${kind.kind.replaceAll("_", " ")}`),
          [many(kind.count, "caption"), known(kind.mean_words) ? `${number(kind.mean_words, 3)} words on average` : ""].filter(Boolean).join(", "),
          bars({ ...kind, key: "words", unit: "words", thresholds: [], log: false }, ["can be used", "set aside"]),
        ),
      );
    if (told.moves)
      parts.push(
        figure(
          "How the camera moves",
          `share of the time, of ${told.moves.clips < told.moves.of ? `${count(told.moves.clips)} of ` : ""}${many(told.moves.of, "kept clip")}`,
          el(
            "dl",
            { className: "shares" },
            ...told.moves.kinds.flatMap(({ kind, share: part }) => {
              const bar = el("i");
              bar.style.width = `${(100 * part) / told.moves.kinds[0].share}%`;
              return [el("dt", {}, kind), el("dd", {}, bar, el("span", {}, share(part, 1)))];
            }),
          ),
        ),
      );
    const clouds = told.clouds
      .filter((kind) => kind.words.length)
      .map((kind) =>
        figure(
          el("span", {}, "Words used: ", el("code", {}, kind.step), ` ${kind.kind.replaceAll("_", " ")}`),
          "the larger, the more often",
          cloud(kind.words),
        ),
      );
    section.replaceChildren(
      el("h2", {}, "What papers print"),
      el("p", { className: "lead" }, "Of the clips that the rules on this page keep."),
      el("div", { className: "plots" }, ...parts),
      clouds.length ? el("div", { className: "plots clouds" }, ...clouds) : "",
    );
  }
  const soon = later(draw, 500);
  rules.heard.add(soon);
  draw();
  return {
    stop: () => {
      rules.heard.delete(soon);
      soon.stop();
      one.stop();
    },
  };
}
function cloud(words) {
  const most = Math.sqrt(words[0].n),
    least = Math.sqrt(words.at(-1).n),
    sorted = [...words].sort((a, b) => a.word.localeCompare(b.word));
  return el(
    "p",
    { className: "cloud" },
    ...sorted.flatMap(({ word, n }) => {
      const part = (Math.sqrt(n) - least) / (most - least || 1),
        node = el("a", { href: link("clips", { show: "kept", words: word }), title: `${many(n, "time")}` }, word);
      node.style.fontSize = `${0.8 + 1.25 * part}rem`;
      node.classList.toggle("strong", part > 0.45);
      return [node, " "];
    }),
  );
}
