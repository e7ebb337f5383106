const sample = ([shown, total], word) => (shown < total ? `A sample: ${count(shown)} of ${many(total, word + " clip")}. ` : "");

// A clip's strip with the transitions inside it, where shots were joined.
function marked(pictures, clip) {
  const at = along(clip.end_s - clip.start_s);
  return el("div", { className: "marked" }, pictures, ...clip.joined.map((one) => el("i", { className: one.kind === "cut" ? "cut" : "", style: { left: at(one.start_s), width: at(one.end_s - one.start_s), background: tint(one.kind) } })));
}
function card(clip, list, dense) {
  const video = videos[clip.video], length = clip.end_s - clip.start_s, poster = film(video, clip.start_s, clip.end_s), mark = el("i");
  let part = 0.5;
  const go = (to) => { part = clamp(to, 0, 1); poster.show(clip.start_s + Math.min(part, 0.9999) * length); mark.style.left = `${part * 100}%`; };
  const named = [...ruleOf.keys()].filter((key) => key !== "duration_s" && known(clip.scores[key])).slice(0, 3).map((key) => `${key} ${number(clip.scores[key])}`).join("  ·  ");
  const node = el("button", { className: "card", type: "button", onclick: () => look(clip, list()), "aria-label": `${clip.kept ? "Play" : "Look at"} the clip of ${exactly(length)} at ${clock(clip.start_s)} in ${nameOf(clip)}${clip.kept ? "" : ", " + why(clip)}${clip.kept && clip.line ? ": " + clip.line : ""}` },
    poster, !dense && pictured(video) ? marked(strip(video, clip.start_s, clip.end_s), clip) : null, el("div", { className: "where" }, mark),
    el("div", { className: "card-head" }, el("b", {}, exactly(length)), el("span", {}, dense ? clock(clip.start_s) : between(clip.start_s, clip.end_s))),
    !dense && clip.line ? el("span", { className: "card-say", dir: "auto" }, clip.line) : null,
    el("span", { className: "card-line", title: nameOf(clip) }, shownName(clip)),
    clip.joins ? el("span", { className: "card-line" }, joining(clip.joins)) : null,
    !dense && foundIn(clip).length ? el("span", { className: "card-line again" }, again(clip)) : null,
    dense ? el("span", { className: "card-line why" }, why(clip)) : named ? el("span", { className: "card-line" }, named) : null);
  node.onpointermove = (event) => { if (event.pointerType !== "touch") { const box = poster.getBoundingClientRect(); go((event.clientX - box.left) / box.width); } };
  node.onpointerleave = () => go(0.5);
  node.onblur = () => go(0.5);
  node.onkeydown = (event) => { const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key]; if (way) { go(part + way / 12); event.preventDefault(); } };
  go(0.5);
  return node;
}

function kept() {
  const section = $("kept");
  if (!totals.kept) { section.append(el("p", { className: "empty" }, totals.clips ? "Nothing was kept. " : "Nothing was kept, because no clips were found.", ...(totals.clips ? tookMost() : []))); return; }
  section.append(el("p", { className: "lead" }, sample(data.clips_shown.kept, "kept"), `Move across a picture to look through the ${data.noun}; open it to play its file.`));
  if (data.second_look.words.length) section.append(el("p", { className: "lead second" }, data.second_look.words.join(" ")));
  const list = el("div", { className: "sheet" });
  let order = keptClips, chosen = keptClips, by = null, more = null;
  const fill = () => { if (more) more.remove(); list.replaceChildren(); order = by ? [...chosen].sort((a, b) => by(b) - by(a)) : chosen; more = inParts(section, list, order, 60, (clip) => card(clip, () => order, false), (n) => `Show all ${count(n)} here`); };
  const length = (clip) => clip.end_s - clip.start_s, orders = [["as found", null], ["longest first", length]];
  for (const key of ruleOf.keys()) if (key !== "duration_s" && keptClips.some((clip) => known(clip.scores[key]))) orders.push([`${key}, highest first`, (clip) => (known(clip.scores[key]) ? clip.scores[key] : -Infinity)]);
  const select = el("select", { onchange: () => { by = orders[select.selectedIndex][1]; fill(); } }, ...orders.map(([word]) => el("option", {}, word)));
  const odd = keptClips.filter((clip) => foundIn(clip).length);
  const buttons = odd.length ? [["all", keptClips, totals.kept], ["with a transition at the second look", odd, odd.length]].map(([word, some, n]) =>
    el("button", { type: "button", "aria-pressed": some === keptClips, onclick: (event) => { for (const other of buttons) other.setAttribute("aria-pressed", other === event.currentTarget); chosen = some; fill(); } }, word, el("span", {}, count(n)))) : [];
  if (keptClips.length > 1) section.append(el("div", { className: "bar-of-tools" }, el("label", {}, "Order ", select),
    buttons.length ? el("div", { className: "choice", role: "group", "aria-label": "Second look" }, ...buttons) : null));
  section.append(list);
  fill();
}

function rejected() {
  const section = $("rejected"), total = totals.clips - totals.kept;
  if (!total) { section.append(el("p", { className: "empty" }, totals.clips ? "No clip was rejected." : "No clips were found.")); return; }
  section.append(el("p", { className: "lead" }, sample(data.clips_shown.rejected, "rejected"), "Each with the rule that said no and the value it saw. Rejected clips stay in the set with all their scores."));
  const list = el("div", { className: "sheet dense" });
  let chosen = rejectedClips, more = null;
  const fill = () => {
    if (more) more.remove();
    list.replaceChildren();
    more = inParts(section, list, chosen, 48, (clip) => card(clip, () => chosen, true), (n) => `Show all ${count(n)} here`);
    if (!chosen.length) list.append(el("p", { className: "soft small" }, "None of these is in the sample."));
  };
  const taken = steps.filter((step) => step.rejected > 0);
  const choose = (button, rule) => { for (const other of buttons) other.setAttribute("aria-pressed", other === button); chosen = rule === null ? rejectedClips : rejectedClips.filter((clip) => clip.rejected_by === rule); fill(); };
  const buttons = [["all", null, total], ...taken.map((step) => [step.rule, step.rule, step.rejected])].map(([word, rule, n]) => {
    const button = el("button", { type: "button", "aria-pressed": rule === null, onclick: () => choose(button, rule) }, rule === null ? word : el("code", {}, word), el("span", {}, count(n)));
    return button;
  });
  if (taken.length > 1) section.append(el("div", { className: "bar-of-tools" }, el("div", { className: "choice", role: "group", "aria-label": "Rejected by" }, ...buttons)));
  section.append(list);
  fill();
}
