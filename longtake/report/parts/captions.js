function captions() {
  const section = $("captions"), all = data.captions;
  if (!told) { section.remove(); return; }
  const words = all.count ? [`${many(all.count, "caption")}; ${count(all.clips)} of ${many(totals.kept, "kept clip")} ${all.clips === 1 ? "has" : "have"} one that can be used.`] : ["No kept clip has a caption yet."];
  if (all.set_aside_total) words.push(`${count(all.set_aside_total)} set aside: kept with the reasons, and used for nothing.`);
  if (all.of_other_clips) words.push(`${count(all.of_other_clips)} more are of clips that are not kept now.`);
  section.append(el("p", { className: "lead" }, words.join(" ")));
  if (all.waiting) section.append(el("p", { className: "waits" }, el("code", {}, all.waiting.steps.join(", ")), ` ${all.waiting.steps.length === 1 ? "waits" : "wait"} for a model; type: `, el("code", {}, all.waiting.command)));
  if (all.kinds.length) {
    section.append(el("div", { className: "bar-of-tools" }, el("span", {}, "Words in a caption"), el("span", { className: "legend" }, el("span", {}, el("i", { style: { background: "var(--kept)" } }), "can be used"),
      all.set_aside_total ? el("span", {}, el("i", { style: { background: "var(--rejected)" } }), "set aside") : null)));
    section.append(el("div", { className: "plots small" }, ...all.kinds.map((kind) => el("figure", {}, el("h3", {}, el("code", {}, kind.step), ` ${kind.kind.replaceAll("_", " ")}`),
      el("p", {}, [many(kind.count, "caption"), known(kind.mean_words) ? `${number(Math.round(10 * kind.mean_words) / 10)} words on average` : null, kind.set_aside ? `${count(kind.set_aside)} set aside` : null].filter(Boolean).join(", ")),
      bars({ ...kind, key: `${kind.step} ${kind.kind}, words`, unit: "words", thresholds: [], log: false }, ["can be used", "set aside"])))));
  }
  if (all.answers.length) section.append(el("h3", {}, "Answers of models"), table("Answers of models", "rows sums", ["model", "answers", "tokens in", "tokens out", "cost"],
    all.answers.map((row) => [el("span", { className: "mono" }, row.model || "unnamed"), count(row.count), ...[row.prompt_tokens, row.completion_tokens].map((n) => (known(n) ? count(n) : "unknown")), cost(row)])));
  if (all.set_aside.length) section.append(el("h3", {}, "Set aside"), all.set_aside.length < all.set_aside_total ? el("p", { className: "small soft" }, `The first ${count(all.set_aside.length)} of ${count(all.set_aside_total)}.`) : "",
    table("Captions set aside", "rows", ["clip", "caption", "why", "text"], all.set_aside.map((row) => [toClip(row.clip, (clip) => `${shownName(clip)}, ${clock(clip.start_s)}`), `${row.step} ${row.kind.replaceAll("_", " ")}`, row.problems.join("; "),
      el("span", { className: "soft", dir: "auto" }, row.text || "no text")])));
}
function cost(row) {
  const unknown = row.unpriced === row.count ? "price unknown" : `price unknown for ${count(row.unpriced)}`;
  return [known(row.cost_usd) ? `$${row.cost_usd >= 1 || !row.cost_usd ? row.cost_usd.toFixed(2) : row.cost_usd.toPrecision(2)}` : null, row.unpriced ? unknown : null].filter(Boolean).join(", ");
}
