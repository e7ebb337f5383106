// Judging clips by keys. A judgement is saved before the next clip is shown.
const FLAGS = [
  ["c", "cut", "has a cut"],
  ["s", "static", "static"],
  ["t", "text", "text"],
  ["b", "caption", "bad caption"],
];
const nameOfJudge = () => stored("judge", "") || "me";
// What one says of one clip: buttons and keys. With `then`, a verdict ends it: nothing more is taken, and `then` is called once it is saved.
function judgeBar(clip, { then = null } = {}) {
  const now = {
    keep: clip.judgement ? clip.judgement.keep : null,
    flags: new Set(clip.judgement ? clip.judgement.flags : []),
    note: clip.judgement ? clip.judgement.note || "" : "",
  };
  const saved = el("span", { className: "saved", role: "status" }),
    note = el("textarea", {
      rows: 2,
      value: now.note,
      maxLength: 4000,
      placeholder: "A note",
      "aria-label": "Note",
      onchange: () => {
        now.note = note.value;
        send(false);
      },
    });
  const verdict = [
    ["k", true, "Keep"],
    ["r", false, "Reject"],
  ].map(([name, keep, word]) =>
    el("button", { type: "button", className: `verdict-button ${keep ? "yes" : "no"}`, onclick: () => decide(keep) }, word, key(name)),
  );
  const flags = FLAGS.map(([name, flag, word]) => el("button", { type: "button", className: "flag", onclick: () => mark(flag) }, word, key(name)));
  let last = Promise.resolve(),
    waiting = 0,
    over = false;
  function draw() {
    verdict.forEach((node, i) => node.setAttribute("aria-pressed", now.keep === (i === 0)));
    FLAGS.forEach(([, flag], i) => flags[i].setAttribute("aria-pressed", now.flags.has(flag)));
  }
  function send(decided) {
    draw();
    waiting += 1;
    saved.textContent = "saving";
    const body = { clip_id: clip.id, keep: now.keep, flags: [...now.flags], note: now.note, judge: nameOfJudge() };
    last = last
      .then(() => ask("/api/judgements", body))
      .then(() => {
        waiting -= 1;
        if (!waiting) saved.textContent = "saved";
        clip.judgement = { keep: body.keep, flags: body.flags, note: body.note };
        if (decided && then) then();
      })
      .catch((error) => {
        waiting -= 1;
        over = false;
        saved.textContent = "not saved";
        complain(error);
      });
  }
  const decide = (keep) => {
    if (over) return;
    over = then !== null;
    now.keep = now.keep === keep && !then ? null : keep;
    send(now.keep !== null);
  };
  const mark = (flag) => {
    if (over) return;
    if (!now.flags.delete(flag)) now.flags.add(flag);
    send(false);
  };
  note.onkeydown = (event) => {
    if (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey)) {
      event.preventDefault();
      note.blur();
    }
  };
  draw();
  return {
    node: el(
      "div",
      { className: "judge-bar", role: "group", "aria-label": "Judgement" },
      el("div", { className: "verdicts" }, ...verdict),
      el("div", { className: "flags" }, ...flags),
      el("div", { className: "noted" }, note, saved),
    ),
    keys: {
      k: () => decide(true),
      r: () => decide(false),
      n: () => note.focus(),
      ...Object.fromEntries(FLAGS.map(([name, flag]) => [name, () => mark(flag)])),
    },
    stop: () => {
      if (note.value !== now.note) {
        now.note = note.value;
        send(false);
      }
    },
  };
}
const HELP = [
  ["k", "keep"],
  ["r", "reject"],
  ...FLAGS.map(([name, , word]) => [name, word]),
  ["n", "write a note; Enter ends it"],
  ["Space", "play or pause"],
  [",  .", "one frame back or on"],
  ["Shift+←  Shift+→", "a second back or on"],
  ["←  →", "previous or next clip"],
  ["1  2  0", "the first, the second caption, neither"],
  ["Ctrl+Z", "undo a change of rules"],
  ["?", "these keys"],
];
function help() {
  const box = document.querySelector("dialog");
  box.replaceChildren(
    el(
      "div",
      { className: "help" },
      el("h2", {}, "Keys"),
      el("dl", {}, ...HELP.flatMap(([name, word]) => [el("dt", {}, ...name.split("  ").map(key)), el("dd", {}, word)])),
      el("form", { method: "dialog" }, el("button", { className: "plain" }, "Close")),
    ),
  );
  if (!box.open) box.showModal();
}
