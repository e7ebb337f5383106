// One clip, large: its file plays, from a moment if asked; where there is none, its pictures can be looked through.
const dialog = document.querySelector("dialog");
function look(clip, list, { pressed = "", from = 0 } = {}) {
  hideTip();
  const video = videos[clip.video], length = clip.end_s - clip.start_s, at = list.indexOf(clip), file = clip.file ? url(clip.file) : null;
  const media = el("div", { className: "stay" }), said = el("div", { className: "said", role: "status" });
  let player = null;
  if (file) {
    player = el("video", { controls: true, playsInline: true, loop: true, preload: "auto", src: from > 0.05 ? `${file}#t=${from.toFixed(3)}` : file, "aria-label": `clip from ${nameOf(clip)}` });
    player.onerror = () => {
      if (!player.isConnected || !player.error) return;
      const reasons = { 2: "it could not be read", 3: "it could not be decoded", 4: "the file is missing, or its format is not one this browser plays" };
      player.remove();
      said.replaceChildren(`This browser did not play the file: ${reasons[player.error.code] || "unknown reason"}. `, el("a", { href: file, target: "_blank", rel: "noopener" }, clip.file));
    };
    media.append(player, said);
    if (!calm) player.play().catch(() => {});
  } else {
    const pictures = pictured(video) ? clamp(Math.floor(length / video.preview.every_s), 1, 20) : 0, sheet = el("div", { className: "stills" });
    for (let i = 0; i < pictures; i += 1) {
      const still = film(video, clip.start_s, clip.end_s);
      still.show(clip.start_s + (i + 0.5) / pictures * length);
      sheet.append(still);
    }
    said.append(clip.kept ? "No file was written for this clip. " : "No file: only kept clips have one. ", pictures ? "These are its preview pictures." : "");
    media.append(sheet, said);
  }
  const keys = Object.keys(clip.scores).sort((a, b) => ruleOf.has(b) - ruleOf.has(a));
  const by = ruleParts(clip.rejected_by).key;
  const rows = keys.map((key) => el("tr", { className: !clip.kept && key === by ? "no" : "" }, el("th", { scope: "row" }, key, ruleOf.has(key) ? el("small", {}, ruleOf.get(key)) : null), el("td", {}, number(clip.scores[key]))));
  const step = (by, word) => { const other = list[at + by]; return el("button", { type: "button", className: "plain", disabled: !other, style: { visibility: other ? "visible" : "hidden" }, onclick: () => look(other, list, { pressed: word }) }, word); };
  if (dialog.firstChild) quiet();
  dialog.replaceChildren(el("div", { className: clip.captions.length || clip.joins ? "look told" : "look" }, el("div", { className: "media" }, media), el("div", { className: "side" },
    el("div", { className: "steps" }, step(-1, "Previous"), step(1, "Next"), el("button", { type: "button", className: "plain", onclick: () => dialog.close() }, "Close")),
    el("h3", {}, exactly(length)), el("p", { className: clip.kept ? "kept-ink" : "" }, clip.kept ? "kept" : why(clip)),
    el("p", { className: "soft" }, nameOf(clip)), el("p", { className: "soft" }, between(clip.start_s, clip.end_s)),
    clip.found ? el("p", { className: clip.found.length ? "alarm-ink" : "soft" }, clip.found.length ? again(clip) : "second look: no transition") : null,
    clip.file ? el("p", { className: "soft" }, el("a", { href: file || "#", target: "_blank", rel: "noopener" }, clip.file)) : null,
    joinsOf(clip, player),
    ...sayings(clip, player),
    keys.length ? el("table", {}, el("caption", { className: "sr" }, "Scores"), el("tbody", {}, ...rows)) : null)));
  if (!dialog.open) dialog.showModal();
  const buttons = [...dialog.querySelectorAll(".steps button:enabled")];
  if (pressed) (buttons.find((button) => button.textContent === pressed) || buttons.at(-1)).focus();
}
// Where shots were joined: each transition inside the clip, and who voted for it to stay inside.
function joinsOf(clip, player) {
  if (!clip.joins) return null;
  const length = clip.end_s - clip.start_s, at = along(length), voters = [...new Set(clip.joined.flatMap((one) => one.votes.map((vote) => vote.voter)))];
  const seek = (t) => { player.currentTime = Math.max(0, t - 1); player.play().catch(() => {}); };
  const when = (one) => (one.end_s > one.start_s ? between(one.start_s, one.end_s) : clock(one.start_s));
  const bar = el("div", { className: "parts", "aria-hidden": "true" }, el("i", { style: { left: 0, width: "100%" } }), ...clip.joined.map((one) => el("i", { className: "join", title: `${one.kind} at ${when(one)}`,
    onclick: () => player && seek(one.start_s), style: { left: at(one.start_s), width: at(one.end_s - one.start_s), background: tint(one.kind) } })));
  const said = (vote) => {
    if (!vote) return "–";
    const score = known(vote.score) ? number(vote.score, 2) : null, word = vote.joins === null ? "can’t tell" : vote.joins ? "yes" : "no";
    return el("span", { title: vote.model || "", className: vote.joins ? "kept-ink" : "soft" }, word, score ? el("small", {}, ` ${score}`) : null);
  };
  const rows = clip.joined.map((one) => el("tr", {}, el("th", { scope: "row" }, one.kind, player ? el("button", { type: "button", className: "link when", title: "Play from a second before", onclick: () => seek(one.start_s) }, when(one)) : el("span", { className: "when" }, when(one))),
    ...voters.map((voter) => el("td", {}, said(one.votes.find((vote) => vote.voter === voter))))));
  return el("div", { className: "told-by joins" }, el("h4", {}, joining(clip.joins)), bar,
    el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Votes" }, el("table", {}, el("caption", { className: "sr" }, "The transitions inside, and what voters said of each"),
      voters.length ? el("thead", {}, el("tr", {}, el("td"), ...voters.map((voter) => el("th", { scope: "col" }, voter)))) : null, el("tbody", {}, ...rows))),
    clip.joins > clip.joined.length ? el("p", { className: "soft" }, `${count(clip.joins - clip.joined.length)} more transitions of this clip are in the set.`) : null);
}
// All that was said of a clip. What is about a part has its time, and is marked while that part plays.
function sayings(clip, player) {
  const length = clip.end_s - clip.start_s, timed = [], asideIf = (one) => (one.problems.length ? "aside" : "");
  const seek = (t) => { if (player) { player.currentTime = t; player.play().catch(() => {}); } };
  if (player) player.ontimeupdate = () => { for (const [one, node] of timed) node.classList.toggle("now", one.start_s <= player.currentTime && player.currentTime < one.end_s); };
  const sayingOf = (one, isPart) => {
    const node = el("div", { className: `saying ${asideIf(one)}` },
      isPart ? el(player ? "button" : "span", { className: player ? "link when" : "when", ...(player ? { type: "button", onclick: () => seek(one.start_s) } : {}) }, between(one.start_s, one.end_s)) : null,
      el("p", { className: "words", dir: "auto" }, one.text || "no text"), one.problems.length ? el("p", { className: "reasons" }, `set aside: ${one.problems.join("; ")}`) : null);
    if (isPart) timed.push([one, node]);
    return node;
  };
  const barOf = (list) => el("div", { className: "parts", "aria-hidden": "true" }, ...list.map((one) => {
    const node = el("i", { className: asideIf(one), title: between(one.start_s, one.end_s), onclick: () => seek(one.start_s), style: { left: `${100 * one.start_s / length}%`, width: `${100 * (one.end_s - one.start_s) / length}%` } });
    timed.push([one, node]);
    return node;
  }));
  const by = (list) => {
    const values = (key) => [...new Set(list.map(key))].join(" or "), frames = values((one) => one.frames);
    return list.some((one) => one.model) ? `${values((one) => one.model || "no model")}, ${frames === "0" ? "from text alone" : frames + (frames === "1" ? " frame" : " frames")}` : "without a model";
  };
  const kindOf = ([kind, list]) => {
    const isPart = (one) => one.start_s > 0.05 || one.end_s < length - 0.05, inTime = list.some(isPart);
    return el("div", { className: "kind" }, el("h5", {}, kind.replaceAll("_", " "), el("span", {}, by(list))), inTime ? barOf(list) : null, ...list.map((one) => sayingOf(one, inTime)));
  };
  const groups = grouped(clip.captions, (one) => one.step).map(([step, list]) => el("div", { className: "told-by" }, el("h4", {}, el("code", {}, step)), ...grouped(list, (one) => one.kind).map(kindOf)));
  return clip.captions_left_out ? [...groups, el("p", { className: "soft" }, `${count(clip.captions_left_out)} more captions of this clip are in the set.`)] : groups;
}
function grouped(list, key) {
  const groups = new Map();
  for (const item of list) { if (!groups.has(key(item))) groups.set(key(item), []); groups.get(key(item)).push(item); }
  return [...groups];
}
function quiet() { for (const player of dialog.querySelectorAll("video")) { player.onerror = null; player.pause(); player.removeAttribute("src"); player.load(); } }
// The word of a closing comes late: by then quick keys may have opened another clip.
dialog.addEventListener("close", () => { if (!dialog.open) { quiet(); dialog.replaceChildren(); } });
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
