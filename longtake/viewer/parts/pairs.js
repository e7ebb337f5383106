// Two captions of one clip, whose is whose unknown: which is better?
function captionPairs() {
  const kinds = set.captions.filter((one) => one.count).map(({ step, kind }) => ({ step, kind })),
    found = [];
  kinds.forEach((a, i) => kinds.slice(i + 1).forEach((b) => found.push([a, b])));
  return found;
}
const TRIES = 40;
async function judgePairs(body, pairs, refresh) {
  const words = ({ step, kind }) => `${kind.replaceAll("_", " ")} (${step})`,
    stage = el("div");
  let pair = pairs[0],
    stop = () => {},
    at = 0,
    turn = 0,
    list = [],
    total = 1;
  const seed = 1 + Math.floor(Math.random() * 1e6);
  body.append(
    el(
      "p",
      { className: "lead" },
      "Which caption says better what the clip shows? ",
      choose(
        "Which captions",
        pairs.map((one) => [one, `${words(one[0])} or ${words(one[1])}`]),
        pair,
        (one) => {
          pair = one;
          at = 0;
          next().catch(complain);
        },
      ),
    ),
    stage,
  );
  async function candidate() {
    for (let i = 0; i < TRIES && at < total; i += 1, at += 1) {
      if (at % PAGE === 0 || !list.length) {
        const told = await ask("/api/clips", { rules: rules.now, show: "kept", sort: `random:${seed}`, offset: at - (at % PAGE), limit: PAGE });
        list = told.clips;
        total = told.total;
      }
      if (at >= total) return null;
      const clip = await detail(list[at % PAGE].id),
        texts = pair.map(({ step, kind }) =>
          clip.captions.filter((one) => one.step === step && one.kind === kind && !one.problems.length && one.text),
        );
      if (texts.every((some) => some.length)) {
        at += 1;
        return { clip, texts: texts.map((some) => some.map((one) => one.text).join("\n")) };
      }
    }
    return null;
  }
  async function next() {
    const now = (turn += 1);
    stop();
    stop = () => {};
    const found = await candidate();
    if (turn !== now) return;
    if (!found) {
      stage.replaceChildren(el("p", { className: "empty" }, "No more kept clips have both captions."));
      return;
    }
    const { clip, texts } = found,
      turned_ = Math.random() < 0.5,
      order = turned_ ? [1, 0] : [0, 1],
      player = playerOf(clip);
    let picked = false;
    const pick = async (chosen) => {
      if (picked) return;
      picked = true;
      try {
        await ask("/api/choices", { clip_id: clip.id, shown: order.map((i) => pair[i]), chosen, judge: nameOfJudge() });
        refresh().catch(complain);
        await next();
      } catch (error) {
        picked = false;
        complain(error);
      }
    };
    const keys = onKeys({ ...player.keys, 1: () => pick(0), 2: () => pick(1), 0: () => pick(null), ArrowRight: () => next().catch(complain) });
    stage.replaceChildren(
      player.node,
      el(
        "div",
        { className: "pair" },
        ...order.map((i, place) =>
          el(
            "button",
            { type: "button", onclick: () => pick(place) },
            el("span", { className: "words", dir: "auto" }, texts[i]),
            key(String(place + 1)),
          ),
        ),
      ),
      el(
        "p",
        { className: "moves-on" },
        el("button", { type: "button", className: "plain", onclick: () => pick(null) }, "Neither ", key("0")),
        plain("Skip", () => next().catch(complain), { title: "→" }),
      ),
    );
    stop = () => {
      keys();
      player.stop();
    };
  }
  await next();
  return () => {
    turn += 1;
    stop();
  };
}
