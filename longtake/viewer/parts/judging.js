// The view in which a random sample is judged.
async function judgingView(main, _, params) {
  const mode = params.get("of") === "captions" ? "captions" : "clips",
    pairs = captionPairs();
  const body = el("div"),
    numbers = el("aside", { className: "numbers", "aria-label": "What judgements say" }),
    who = el("input", {
      type: "text",
      value: nameOfJudge(),
      maxLength: 100,
      autocomplete: "off",
      "aria-label": "Who judges",
      onchange: () => {
        store("judge", who.value.trim() || "me");
        show();
      },
    });
  let stop = () => {},
    turn = 0,
    gone = false;
  const modes = pairs.length
    ? choice(
        "What is judged",
        [
          ["clips", "clips"],
          ["captions", "two captions"],
        ],
        mode,
        (of) => {
          location.hash = link("judging", of === "clips" ? {} : { of });
        },
      )
    : null;
  main.append(
    el(
      "div",
      { className: "judging" },
      el(
        "div",
        { className: "judging-head" },
        el("h1", {}, "Judging"),
        modes,
        el("label", { className: "who" }, "Who judges ", who),
        plain("Keys", help, { title: "?" }),
      ),
      el("div", { className: "judging-body" }, body, numbers),
    ),
  );
  const tally = () => ask(`/api/judging?rules=${encodeURIComponent(JSON.stringify(rules.now))}&judge=${encodeURIComponent(nameOfJudge())}`);
  async function refresh() {
    const told = await tally();
    if (!gone) numbers.replaceChildren(...numbersOf(told, show));
    return told;
  }
  async function show() {
    const now = (turn += 1), // a later call leaves this one, whose parts nobody sees then
      part = el("div"),
      over = () => gone || turn !== now;
    stop();
    stop = () => {};
    body.replaceChildren(part);
    body.setAttribute("aria-busy", "true");
    try {
      const told = await refresh();
      if (over()) return;
      const end = mode === "captions" ? await judgePairs(part, pairs, refresh) : await judgeClips(part, told, refresh, show);
      if (over()) return end();
      stop = end;
    } catch (error) {
      complain(error);
    }
    if (!over()) body.setAttribute("aria-busy", "false");
  }
  const hear = later(() => refresh().catch(complain), 300);
  rules.heard.add(hear);
  await show();
  return () => {
    gone = true;
    stop();
    rules.heard.delete(hear);
    hear.stop();
  };
}
// The clips of the sample one after the other, whatever the rules say of each: that is not shown.
async function judgeClips(body, told, refresh, show) {
  let queue = [...told.sample.next],
    size = told.sample.size,
    done = told.sample.done,
    past = [],
    stop = () => {},
    ahead = {},
    turn = 0;
  if (!queue.length) {
    body.append(drawing(size, show));
    return () => {};
  }
  const progress = el("i"),
    words = el("span", { role: "status" }),
    stage = el("div");
  body.append(el("div", { className: "progress" }, el("div", { className: "track-bar", "aria-hidden": "true" }, progress), words), stage);
  async function open(id) {
    const now = (turn += 1); // whoever goes on before this clip is there, leaves it
    stop();
    stop = () => {};
    words.textContent = `${count(done)} of ${count(size)} judged`;
    progress.style.width = `${(100 * done) / size}%`;
    const clip = await (ahead.id === id ? ahead.clip : detail(id));
    if (turn !== now) return;
    const player = playerOf(clip),
      later_ = () => {
        if (queue.length > 1) go(1);
        else show();
      };
    const mine = clip.judgement && clip.judgement.keep !== null,
      bar = judgeBar(clip, {
        then: () => {
          if (turn !== now) return;
          if (!mine) done += 1;
          refresh().catch(complain);
          go(1);
        },
      });
    const line = clip.captions.find((one) => !one.problems.length);
    const keys = onKeys({ ...player.keys, ...bar.keys, ArrowRight: later_, ArrowLeft: () => go(-1) });
    stage.replaceChildren(
      player.node,
      el(
        "div",
        { className: "judged-about" },
        line ? el("p", { className: "words", dir: "auto" }, line.text) : null,
        el("p", { className: "soft small" }, `${exactly(clip.end_s - clip.start_s)}  ·  ${clip.name}`),
      ),
      bar.node,
      el(
        "p",
        { className: "moves-on" },
        plain("Previous", () => go(-1), { disabled: !past.length, title: "←" }),
        plain("Skip", later_, { title: "→" }),
      ),
    );
    stop = () => {
      keys();
      bar.stop();
      player.stop();
    };
    ahead = queue.length > 1 ? { id: queue[1], clip: detail(queue[1]) } : {}; // so that the next is there at once
    if (ahead.clip)
      ahead.clip.catch(() => {
        ahead = {};
      });
  }
  async function next() {
    if (!queue.length) {
      const more = await refresh();
      queue = [...more.sample.next];
      size = more.sample.size;
      done = more.sample.done;
    }
    if (queue.length) await open(queue[0]);
    else {
      stop();
      stop = () => {};
      show();
    }
  }
  const go = (way) => {
    if (way > 0) past.push(queue.shift());
    else if (past.length) queue.unshift(past.pop());
    else return;
    next().catch(complain);
  };
  await next();
  return () => {
    turn += 1;
    stop();
  };
}
function drawing(size, show) {
  const field = (label, value, min) => el("input", { type: "number", min, max: 10000, value, "aria-label": label }),
    kept = field("kept clips", 50, 0),
    rejected = field("rejected clips", 50, 0);
  return el(
    "div",
    { className: "draw" },
    el(
      "p",
      { className: "hero" },
      size ? "Every clip of the sample is judged." : "Judge clips drawn at random, and this page says how good the rules are.",
    ),
    el("p", { className: "lead" }, "Some of those that the rules keep, some of the others, mixed: what the rules say of a clip is not shown."),
    el(
      "form",
      {
        onsubmit: async (event) => {
          event.preventDefault();
          try {
            await ask("/api/sample", {
              kept: Number(kept.value),
              rejected: Number(rejected.value),
              seed: Math.floor(Math.random() * 1e6),
              rules: rules.now,
            });
            show();
          } catch (error) {
            complain(error);
          }
        },
      },
      el("label", {}, kept, " kept"),
      el("label", {}, rejected, " rejected"),
      el("button", { type: "submit", className: "plain main" }, size ? "Draw another sample" : "Draw a sample"),
    ),
  );
}
