// What falls through one rule stands on the next. Rows stay where rules stay, so that bars move.
function flowing() {
  const body = el("tbody"),
    node = el(
      "table",
      { className: "funnel" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("th", { className: "rule" }, "rule"),
          el("th", { className: "n" }),
          el("th", {}, "clips left"),
          el("th", { className: "took" }, "taken"),
          el("th", { className: "n time" }),
          el("th", { className: "time" }, "time left"),
          el("th", { className: "took time" }, "taken"),
        ),
      ),
      body,
    );
  const percent = (part, whole) => `${part > 0 ? Math.max(0.25, (100 * part) / (whole || 1)) : 0}%`,
    minus = (x, text) => (x > 0 ? `−${THIN}${text}` : "–");
  function flow() {
    const left = el("i"),
      took = el("i"),
      fall = el("div", { className: "fall" });
    return {
      nodes: [el("div", { className: "flow" }, left, took), fall],
      set: (a, b, whole) => {
        left.style.width = fall.style.width = percent(a, whole);
        took.style.width = percent(b, whole);
      },
    };
  }
  function row(i) {
    const words = el("th", { scope: "row", className: "rule" }),
      clips = flow(),
      time = flow(),
      [n, took, s, took_s] = ["n", "took", "n time", "took time"].map((name) => el("td", { className: name }));
    const line = el("tr", {}, words, n, el("td", {}, ...clips.nodes), took, s, el("td", { className: "time" }, ...time.nodes), took_s);
    let text = null;
    line.set = (step, all, last) => {
      const notes = [
          [step.not_measured, "not measured"],
          [step.not_asked, "not asked"],
        ]
          .filter(([x]) => x)
          .map(([x, word]) => `${count(x)} ${word}`)
          .join(", "),
        said = `${step.rule} ${notes}`;
      if (said !== text) {
        text = said;
        words.replaceChildren(
          step.rule === null
            ? step.label
            : el(
                "span",
                { className: "rule-words" },
                el("code", {}, step.rule),
                el(
                  "button",
                  {
                    type: "button",
                    className: "sign",
                    "aria-label": `Remove the rule ${step.rule}`,
                    title: "Remove this rule",
                    onclick: () => settle(without(i - 1)),
                  },
                  "×",
                ),
              ),
          notes ? el("span", { className: "note" }, notes) : "",
        );
      }
      n.textContent = count(step.clips);
      s.textContent = lasting(step.seconds);
      took.replaceChildren(
        step.rule === null
          ? ""
          : step.rejected
            ? el("a", { href: link("clips", { show: "rejected", by: step.rule }), title: "Look at them" }, minus(step.rejected, count(step.rejected)))
            : "–",
      );
      took_s.textContent = step.rule === null ? "" : minus(step.rejected_s, lasting(step.rejected_s));
      clips.set(step.clips, step.rejected, all.clips);
      time.set(step.seconds, step.rejected_s, all.seconds);
      line.className = last ? "last" : "";
    };
    return line;
  }
  const draw = () => {
    while (body.children.length > rules.funnel.length) body.lastChild.remove();
    while (body.children.length < rules.funnel.length) body.append(row(body.children.length));
    rules.funnel.forEach((step, i) => body.children[i].set(step, rules.funnel[0], i > 0 && i === rules.funnel.length - 1));
  };
  draw();
  return { node, draw };
}
