function failures() {
  const section = $("failures"), list = data.failures;
  if (!data.failures_total) { section.append(el("p", { className: "empty" }, "Nothing failed.")); return; }
  const kinds = new Map();
  for (const failure of list) kinds.set(failure.kind, (kinds.get(failure.kind) || 0) + 1);
  section.append(el("p", { className: "lead" }, list.length < data.failures_total ? `The first ${count(list.length)} of ${count(data.failures_total)}. ` : "", [...kinds].map(([kind, n]) => `${count(n)} ${kind.replaceAll("_", " ")}`).join(", ") + "."),
    table("Failures", "rows", ["item", "step", "kind", "what happened"], list.map((failure) => [el("span", { className: "mono" }, toClip(failure.item, () => failure.item)), failure.step, failure.kind.replaceAll("_", " "), failure.message])));
}

function recipe() {
  $("recipe").append(el("p", { className: "lead" }, el("b", {}, data.recipe.name), data.recipe.source ? `, after ${data.recipe.source}` : ""),
    data.recipe.rules.length ? el("ul", { className: "rules" }, ...data.recipe.rules.map((rule) => el("li", {}, el("code", {}, rule)))) : el("p", { className: "empty" }, "It has no rules: every clip is kept."),
    el("details", {}, el("summary", {}, "The whole recipe, as it ran"), el("pre", { tabIndex: 0 }, data.recipe.toml)));
}
