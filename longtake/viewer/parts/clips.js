// Clips to look through: kept or rejected, by rule, sorted, searched for, alike.
const ORDER = { show: "kept", by: "", sort: "", down: "", words: "", like: "", video: "", judged: "" };
const WIDTHS = [9, 40];
let trail = null; // the clips last looked through, so that a clip's page knows what comes next
const stored = (name, otherwise) => {
  try {
    return localStorage.getItem(name) ?? otherwise;
  } catch {
    return otherwise;
  }
};
const store = (name, value) => {
  try {
    localStorage.setItem(name, value);
  } catch {
    return;
  }
};
function asked(now) {
  return {
    rules: rules.now,
    show: now.show,
    by: now.by || null,
    sort: now.sort || null,
    descending: now.down === "1",
    words: now.words || null,
    like: now.like || null,
    video: now.video || null,
    judged: now.judged || null,
  };
}
function clipsView(main, _, params) {
  const now = Object.fromEntries(Object.entries(ORDER).map(([name, first]) => [name, params.get(name) ?? first]));
  if (now.by) now.show = "rejected";
  const sum = el("p", { className: "sum", role: "status" }),
    empty = el("p", { className: "empty", hidden: true }),
    side = el("aside", { className: "beside", "aria-label": "Rules" });
  const tiles = wall({
    label: "Clips",
    wide: Number(stored("tile", 17)),
    sort: () => (now.sort in meanings() ? now.sort : null),
    fetchPage: (offset, limit, signal) => ask("/api/clips", { ...asked(now), offset, limit }, signal),
    hrefOf: (clip, i) => link("clip", { at: i }, clip.id),
    onfirst: (told) => {
      sum.replaceChildren(el("b", {}, many(told.total, "clip")), told.total ? `, ${lasting(told.seconds)}` : "");
      empty.hidden = told.total > 0;
      empty.textContent = now.words
        ? "No caption of these clips has all these words."
        : now.show === "kept" && !now.judged
          ? "The rules keep none. Drag one of their lines, or look at the rejected ones."
          : "There are none.";
    },
  });
  const keep = () => history.replaceState(null, "", link("clips", changedOnly(now)));
  function change(more) {
    Object.assign(now, more);
    keep();
    tools();
    tiles.refill();
    trail = { asked: { ...now }, at: 0 };
  }
  // The tools stay the same nodes whatever is chosen, so that focus stays on them.
  const shows = choice(
    "Which clips",
    [
      ["kept", "kept"],
      ["rejected", "rejected"],
      ["all", "all"],
    ],
    now.show,
    (show) => change({ show, by: "" }),
  );
  const by = choose("Rejected by", [], "", (text) => change({ by: text }));
  const order = choose("Order", [], "", (sort) => change({ sort, down: sort && !sort.includes(":") ? "1" : "" })),
    way = plain("", () => change({ down: now.down ? "" : "1" }), { title: "Turn round" });
  const judged = choose(
    "Judged",
    [
      ["", "judged or not"],
      ["no", "not judged"],
      ["yes", "judged"],
      ["keep", "judged: keep"],
      ["reject", "judged: reject"],
      ...FLAGS.map(([, flag, word]) => [flag, `judged: ${word}`]),
    ],
    now.judged,
    (value) => change({ judged: value }),
  );
  const words = el("input", {
    type: "search",
    placeholder: "Search captions",
    "aria-label": "Search captions",
    hidden: !set.has.search,
    onchange: () => change({ words: words.value.trim() }),
  });
  const size = el("input", {
    type: "range",
    min: WIDTHS[0],
    max: WIDTHS[1],
    step: 0.5,
    value: stored("tile", 17),
    "aria-label": "Size of tiles",
    oninput: () => {
      store("tile", size.value);
      tiles.widen(Number(size.value));
    },
  });
  const chips = [
    ["alike one clip", "like"],
    ["of one video", "video"],
  ].map(([word, name]) => [name, plain(`${word} ×`, () => change({ [name]: "" }), { className: "plain on", title: "Remove" })]);
  function tools() {
    const ranked = now.sort !== "" && !now.sort.includes(":");
    tiles.node.classList.toggle("mixed", now.show === "all");
    shows.choose(now.show);
    by.hidden = now.show !== "rejected" || !rules.now.length;
    by.offer([["", "by any rule"], ...rules.now.map((text) => [text, `by ${text}`])], rules.now.find((text) => sameRule(text, now.by)) ?? "");
    order.offer(
      [
        ["", now.words ? "best match first" : now.like ? "most alike first" : "video by video"],
        ["random:1", "at random"],
        ...set.scores.map((one) => [one.key, one.key]),
      ],
      now.sort,
    );
    way.hidden = !ranked;
    way.textContent = now.down ? "highest first" : "lowest first";
    judged.choose(now.judged);
    if (document.activeElement !== words) words.value = now.words;
    for (const [name, node] of chips) node.hidden = !now[name];
  }
  const open = stored("beside", innerWidth > 1500 ? "1" : "") === "1",
    toggle = el(
      "button",
      {
        type: "button",
        className: "plain",
        "aria-pressed": open,
        onclick: () => {
          const is = toggle.getAttribute("aria-pressed") !== "true";
          store("beside", is ? "1" : "");
          shelf(is);
        },
      },
      "Rules",
    );
  let plots = null;
  function shelf(is) {
    toggle.setAttribute("aria-pressed", is);
    side.hidden = !is;
    if (plots) {
      plots.stop();
      plots = null;
    }
    if (!is) {
      side.replaceChildren();
      return;
    }
    const list = ordered(),
      about = new Map(list.map((one) => [one.key, one])),
      asks = [...new Set(["duration_s", ...rules.now.map((text) => ruleParts(text).key)])].filter((score) => about.has(score));
    plots = board(asks, { about, bins: 30 });
    const more = choose(
      "Another score",
      [["", "Another score"], ...list.filter((one) => !asks.includes(one.key)).map((one) => [one.key, one.key])],
      "",
      (score) => {
        if (!score) return;
        const added = board([score], { about, bins: 30 }),
          before = plots;
        side.insertBefore(added.node, more);
        plots = {
          stop: () => {
            before.stop();
            added.stop();
          },
        };
        more.querySelector(`option[value="${CSS.escape(score)}"]`)?.remove();
        more.selectedIndex = 0;
      },
    );
    side.append(plots.node, more);
  }
  const view = el(
    "div",
    { className: "clips-view" },
    el(
      "div",
      { className: "tool-rows" },
      el("h1", { className: "sr" }, "Clips"),
      el("div", { className: "sums" }, sum, toggle),
      el("div", { className: "tools" }, shows, by, order, way, words, judged, ...chips.map(([, node]) => node), size),
    ),
    el("div", { className: "sides" }, side, el("div", { className: "middle-of" }, empty, tiles.node)),
  );
  main.append(view);
  tools();
  shelf(open);
  const known_ = trail && JSON.stringify(trail.asked) === JSON.stringify(now),
    again = known_ ? trail.at : 0,
    back = known_ && trail.back;
  trail = { asked: { ...now }, at: again };
  tiles.refill({ at: again }).then(() => {
    // Who comes back from a clip's page goes on from there by keys.
    if (back && view.isConnected && [document.body, $("main")].includes(document.activeElement)) tiles.reach(again);
  });
  const refill = later(() => {
    if (now.by) now.by = rules.now.find((text) => ruleParts(text).key === ruleParts(now.by).key) ?? "";
    keep();
    tools();
    tiles.refill();
  }, 60);
  rules.heard.add(refill);
  view.addEventListener("focusin", () => {
    trail.at = tiles.now();
  });
  tiles.node.addEventListener(
    "scroll",
    () => {
      trail.at = tiles.now();
    },
    { passive: true },
  );
  return () => {
    rules.heard.delete(refill);
    refill.stop();
    tiles.stop();
    if (plots) plots.stop();
  };
}
const backToClips = () => link("clips", trail ? changedOnly(trail.asked) : {});
const changedOnly = (now) => Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== ORDER[name]));
const meanings = () => Object.fromEntries(set.scores.map((one) => [one.key, one]));
