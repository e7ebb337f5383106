// The rules as they are on this page. They stand in the address where they differ from the set's, so going back takes them back.
const rules = { now: [], own: [], past: [], funnel: [], heard: new Set() };
let set = null;
const same = (a, b) => a.length === b.length && a.every((text, i) => text === b[i]);
const isChanged = () => !same(rules.now, rules.own);

// Where one is: #/clips/ID?show=rejected&rules=[...]
function link(view, params = {}, arg = "") {
  const query = new URLSearchParams(
    Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false),
  );
  if (isChanged()) query.set("rules", JSON.stringify(rules.now));
  const text = String(query);
  return `#/${view}${arg ? `/${encodeURIComponent(arg)}` : ""}${text ? `?${text}` : ""}`;
}
function place() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?"),
    [view, arg] = path.split("/"),
    params = new URLSearchParams(query || "");
  // An address may be typed, or cut short on its way here.
  const read = (work, otherwise) => {
    try {
      return work();
    } catch {
      return otherwise;
    }
  };
  const asked = read(() => JSON.parse(params.get("rules")), null);
  params.delete("rules");
  return {
    view: view || "overview",
    arg: read(() => decodeURIComponent(arg || ""), arg),
    params,
    rules: Array.isArray(asked) && asked.every((text) => typeof text === "string") ? asked : null,
  };
}
function stay() {
  // the same place, with the rules as they are now
  const { view, arg, params } = place();
  history.replaceState(null, "", link(view, Object.fromEntries(params), arg));
}
function settle(next, { step = true } = {}) {
  if (same(next, rules.now)) return;
  if (step) remember(rules.now);
  rules.now = next;
  stay();
  recount();
  for (const hear of rules.heard) hear();
}
const remember = (before) => {
  rules.past.push(before);
  if (rules.past.length > 200) rules.past.shift();
};
function undo() {
  const before = rules.past.pop();
  if (before) settle(before, { step: false });
  drawChanged();
}
const told = new Set(); // who draws what rules leave
const recount = following(async () => {
  const answer = await ask("/api/select", { rules: rules.now });
  Object.assign(rules, { funnel: answer.funnel, kept: answer.kept, kept_s: answer.kept_s });
  for (const draw of told) draw();
});

// Takes the rules of an address; where one is wrong, says so and stays with the set's.
async function obey(wanted) {
  try {
    const answer = await ask("/api/select", { rules: wanted });
    Object.assign(rules, { now: wanted, funnel: answer.funnel, kept: answer.kept, kept_s: answer.kept_s });
  } catch (error) {
    complain(error);
    if (same(wanted, rules.own)) return;
    await obey(rules.own);
    stay();
  }
}

// A rule that is a number to stay above or below, as it can be drawn and dragged.
const short = (x) => String(Number(Number(x).toPrecision(6)));
function limit(text, index) {
  const found = /^\s*([^\s<>=!]+)\s*(>=|<=|==|!=|>|<)\s*(\S+)\s*$/.exec(text);
  return found ? { index, key: found[1], comparison: found[2], number: Number(found[3]), text } : null;
}
const sameRule = (a, b) => {
  const [x, y] = [limit(a), limit(b)];
  return a === b || Boolean(x && y && x.key === y.key && x.comparison === y.comparison && x.number === y.number);
};
const limitsOf = (score) => rules.now.map(limit).filter((one) => one && one.key === score);
const written = (score, comparison, x) => `${score} ${comparison} ${short(x)}`;
const changedAt = (index, text) => rules.now.map((one, i) => (i === index ? text : one));
const without = (index) => rules.now.filter((_, i) => i !== index);
const sign = { ">=": "≥", "<=": "≤", ">": ">", "<": "<", "==": "=", "!=": "≠" };
const turned = { ">=": "<=", "<=": ">=", ">": "<", "<": ">", "==": "!=", "!=": "==" };

// What can be done with changed rules, below every view. Nodes stay, so that focus does.
const changes = {
  says: el("span", { className: "says" }),
  undo: plain("Undo", undo, { title: "Ctrl+Z" }),
  back: plain("Back to the set’s", () => settle(rules.own)),
  save: el("button", { type: "button", className: "plain main", onclick: save }, "Save to the set"),
};
$("changed").append(changes.says, el("span", { className: "does" }, changes.undo, changes.back, plain("Save as recipe", download), changes.save));
function drawChanged() {
  const by = (rules.kept ?? set.totals.kept) - set.totals.kept;
  $("changed").hidden = !isChanged() && !rules.past.length;
  changes.undo.disabled = !rules.past.length;
  changes.back.disabled = changes.save.disabled = !isChanged();
  changes.says.replaceChildren(
    ...(isChanged()
      ? [
          el("b", {}, `${count(rules.kept)} kept`),
          by ? `, ${by > 0 ? "+" : "−"}${count(Math.abs(by))} to the set’s own rules` : ", as many as by the set’s own rules",
        ]
      : ["The set’s own rules"]),
  );
}
async function download() {
  try {
    const answer = await fetch("/api/recipe", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ rules: rules.now, name: set.recipe.name }),
    });
    if (!answer.ok) throw new Error((await answer.json()).error);
    const file = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
    const address = URL.createObjectURL(await answer.blob());
    el("a", { href: address, download: file ? file[1] : "recipe.toml" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  } catch (error) {
    complain(error);
  }
}
async function save() {
  try {
    const answer = await ask("/api/save", { rules: rules.now });
    stamp = answer.stamp;
    set = await ask("/api/set");
    rules.own = set.recipe.rules;
    rules.now = [...rules.own];
    rules.past = [];
    stay();
    drawChanged();
    for (const draw of told) draw();
    say(
      `Saved: the set now keeps ${many(answer.kept, "clip")}`,
      answer.before === null ? "" : ` (${count(answer.before)} before)`,
      ".",
      answer.without_file
        ? ` ${many(answer.without_file, "kept clip")} ${answer.without_file === 1 ? "has" : "have"} no file yet; type: longtake run again.`
        : "",
    );
  } catch (error) {
    complain(error);
  }
}
