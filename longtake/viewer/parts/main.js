// The frame around every view: where one is, what is kept, and going from one view to another.
const VIEWS = {
  overview: [overview, "Overview"],
  clips: [clipsView, "Clips"],
  judging: [judgingView, "Judging"],
  compare: [compareView, "Compare"],
  clip: [clipView, null],
};
let leave = () => {},
  visit = 0,
  stamp = "";
const bar = { name: el("a", { className: "set-name" }), links: new Map(), kept: el("p", { className: "kept-now", "aria-live": "polite" }) };
function buildBar() {
  for (const [name, [, word]] of Object.entries(VIEWS)) if (word && (name !== "compare" || set.has.other)) bar.links.set(name, el("a", {}, word));
  bar.name.textContent = set.name;
  $("bar").append(bar.name, el("nav", { "aria-label": "Views" }, ...bar.links.values()), bar.kept);
}
function drawBar() {
  const { view } = place(),
    at = view === "clip" ? "clips" : view;
  bar.name.href = link("overview");
  for (const [name, node] of bar.links) {
    node.href = name === "clips" && view === "clip" ? backToClips() : link(name);
    if (name === at) node.setAttribute("aria-current", "page");
    else node.removeAttribute("aria-current");
  }
  bar.kept.replaceChildren(
    el("b", { className: "kept-ink" }, count(rules.kept)),
    ` of ${many(set.totals.clips, "clip")} kept, `,
    lasting(rules.kept_s),
  );
  document.title = [set.name, (VIEWS[view] || [])[1], "longtake"].filter(Boolean).join(" · ");
}
async function visitNow() {
  const { view, arg, params, rules: asked_ } = place(),
    mine = (visit += 1),
    main = $("main"),
    wanted = asked_ || rules.own;
  hideTip();
  leave();
  leave = () => {};
  if (!same(wanted, rules.now)) await obey(wanted);
  if (mine !== visit) return;
  const [show] = VIEWS[view] || VIEWS.overview,
    body = el("div", { className: `view ${view}` });
  drawBar();
  drawChanged();
  try {
    const wait = setTimeout(() => {
      if (mine === visit) body.classList.add("slow");
    }, 200);
    main.replaceChildren(body);
    const stop = await show(body, arg, params);
    clearTimeout(wait);
    body.classList.remove("slow");
    if (mine === visit) leave = stop;
    else stop();
  } catch (error) {
    if (mine !== visit) return;
    body.replaceChildren(el("p", { className: "empty" }, error.message), el("p", {}, el("a", { href: link("overview") }, "To the overview")));
  }
  if (view !== "clips") scrollTo(0, 0);
  if (mine > 1 && document.activeElement === document.body) main.focus({ preventScroll: true });
}
// A run may go on beside: say so when there is something new.
async function watchSet() {
  try {
    const now = await ask("/api/stamp");
    if (now.stamp !== stamp) {
      stamp = now.stamp;
      say(
        "The set has changed. ",
        plain("Load it anew", () => location.reload()),
      );
    }
  } catch {
    return;
  }
}
async function begin() {
  if (location.search) history.replaceState(null, "", location.pathname + location.hash); // the token is in a cookie now
  try {
    set = await ask("/api/set");
  } catch (error) {
    $("main").append(el("p", { className: "empty" }, error.message));
    return;
  }
  stamp = set.stamp;
  rules.own = set.recipe.rules;
  await obey(place().rules || rules.own);
  buildBar();
  told.add(() => {
    drawBar();
    drawChanged();
  });
  document.addEventListener("keydown", (event) => {
    if (
      (event.ctrlKey || event.metaKey) &&
      event.key === "z" &&
      !event.shiftKey &&
      !event.target.closest("input:not([type=range]), textarea") &&
      rules.past.length
    ) {
      event.preventDefault();
      undo();
    }
    if (event.key === "?" && !event.target.closest("input:not([type=range]), textarea")) help();
  });
  document.querySelector("dialog").addEventListener("click", (event) => {
    if (event.target.nodeName === "DIALOG") event.target.close();
  });
  addEventListener("hashchange", visitNow);
  setInterval(watchSet, 10_000);
  await visitNow();
}
begin();
