// What judgements say of the present rules.
function numbersOf(told, show) {
  const gauge = (word, about, one) => {
    const range = el("i", { className: "range" }),
      dot = el("i", { className: "dot" });
    Object.assign(range.style, { left: `${100 * one.low}%`, width: `${100 * (one.high - one.low)}%` });
    if (known(one.value)) dot.style.left = `${100 * one.value}%`;
    else dot.hidden = true;
    return el(
      "div",
      { className: "gauge" },
      el("h3", {}, word, el("b", {}, known(one.value) ? share(one.value, 1) : "–")),
      el("div", { className: "track-bar", "aria-hidden": "true" }, range, dot),
      el("p", {}, known(one.value) ? `${share(one.low, 1)} to ${share(one.high, 1)} with 95${THIN}% confidence, from ${many(one.n, "clip")}` : about),
    );
  };
  const flags = Object.entries(told.flags),
    words = Object.fromEntries(FLAGS.map(([, flag, word]) => [flag, word]));
  const kind = (one) => {
    const [step, ...rest] = one.split(".");
    return `${rest.join(".").replaceAll("_", " ")} (${step})`;
  };
  return [
    el("h2", {}, "These rules"),
    gauge("Precision", "Of what the rules keep, how much people would keep. Judge some kept clips.", told.precision),
    gauge("Recall", "Of what people would keep, how much the rules keep. Judge some rejected clips.", told.recall),
    told.labels && !told.at_random
      ? el("p", { className: "soft small" }, "The judged clips were not drawn at random, so these numbers are of them alone.")
      : null,
    flags.length
      ? el(
          "div",
          {},
          el("h3", {}, "Marked"),
          el(
            "dl",
            { className: "tally" },
            ...flags.flatMap(([flag, n]) => [
              el("dt", {}, words[flag] || flag),
              el("dd", {}, el("a", { href: link("clips", { show: "all", judged: flag }) }, count(n))),
            ]),
          ),
        )
      : null,
    told.suggestions.length
      ? el(
          "div",
          {},
          el("h3", {}, "Rules that would fit better"),
          ...told.suggestions.map((one) => {
            const text = written(one.score, one.comparison, one.number),
              at = one.replaces === null ? -1 : rules.now.findIndex((rule) => sameRule(rule, one.replaces));
            return el(
              "div",
              { className: "suggestion" },
              el("code", {}, text),
              el(
                "p",
                {},
                one.replaces ? `in place of ${one.replaces}: ` : "",
                `precision ${share(one.precision, 1)}, recall ${share(one.recall, 1)}, ${one.kept_change < 0 ? "−" : "+"}${count(Math.abs(one.kept_change))} clips`,
              ),
              plain("Apply", () => {
                settle(at >= 0 ? changedAt(at, text) : [...rules.now, text]);
              }),
            );
          }),
        )
      : told.labels
        ? el("p", { className: "soft small" }, "No other threshold fits the judgements better, or too few were made to tell.")
        : null,
    told.choices.length
      ? el(
          "div",
          {},
          el("h3", {}, "Captions preferred"),
          ...told.choices.map((one) =>
            el(
              "dl",
              { className: "tally" },
              el("dt", {}, kind(one.first)),
              el("dd", {}, count(one.first_better)),
              el("dt", {}, kind(one.second)),
              el("dd", {}, count(one.second_better)),
              el("dt", {}, "neither"),
              el("dd", {}, count(one.neither)),
            ),
          ),
        )
      : null,
    told.sample.size ? el("details", {}, el("summary", {}, "Another sample"), drawing(0, show).querySelector("form")) : null,
  ].filter(Boolean);
}
