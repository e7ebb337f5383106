// A clip as a tile: its picture follows the pointer through the clip; where the pointer rests, the file plays.
const RESTS_MS = 450;
function tile({ dense = false } = {}) {
  const frame = el("div", { className: "frame" }),
    mark = el("i"),
    head = el("b"),
    when = el("span"),
    name = el("span", { className: "card-line" }),
    line = el("span", { className: "card-say", dir: "auto" }),
    more = el("span", { className: "card-line" }),
    badge = el("span", { className: "badge" });
  const node = el(
    "a",
    { className: `tile${dense ? " dense" : ""}`, tabIndex: -1, draggable: false },
    frame,
    el("span", { className: "where" }, mark),
    el("span", { className: "card-head" }, head, when),
    line,
    name,
    more,
  );
  let clip = null,
    poster = null,
    player = null,
    sorted = null,
    rest = 0,
    part = 0.5;
  const go = (to) => {
    part = clamp(to, 0, 1);
    poster.show(clip.start_s + Math.min(part, 0.9999) * (clip.end_s - clip.start_s));
    mark.style.left = `${part * 100}%`;
  };
  function quiet() {
    clearTimeout(rest);
    if (player) {
      player.onerror = null;
      player.pause();
      player.removeAttribute("src");
      player.load();
      player.remove();
      player = null;
    }
  }
  function play() {
    if (!clip || !clip.plays || calm || player) return;
    player = el("video", { muted: true, playsInline: true, loop: true, preload: "auto", src: `/${clip.from || ""}media/play/clip/${encodeURIComponent(clip.id)}` });
    player.onplaying = () => player && player.classList.add("on");
    player.onerror = quiet;
    player.ontimeupdate = () => {
      if (player && player.duration) mark.style.left = `${(100 * player.currentTime) / player.duration}%`;
    };
    player.onloadedmetadata = () => {
      if (player) {
        player.currentTime = part === 0.5 ? 0 : part * player.duration;
        player.play().catch(() => {});
      }
    };
    frame.append(player);
  }
  node.onpointermove = (event) => {
    if (!clip || event.pointerType === "touch") return;
    const box = frame.getBoundingClientRect();
    quiet();
    go((event.clientX - box.left) / box.width);
    rest = setTimeout(play, RESTS_MS);
  };
  node.onpointerleave = node.onblur = () => {
    quiet();
    if (clip) go(0.5);
  };
  node.onfocus = () => {
    if (clip && node.matches(":focus-visible")) rest = setTimeout(play, RESTS_MS);
  };
  node.fill = (next, { href, sort } = {}) => {
    // The same clip, asked for anew, may be told otherwise: as rejected now, or judged.
    if (clip && clip === next && sorted === sort) {
      if (href) node.href = href;
      return;
    }
    quiet();
    clip = next;
    sorted = sort;
    node.classList.toggle("waits", !clip);
    if (!clip) {
      frame.replaceChildren();
      for (const part of [head, when, name, line, more]) part.textContent = "";
      node.removeAttribute("href");
      node.removeAttribute("aria-label");
      return;
    }
    poster = film({ preview: clip.sheet }, clip.start_s, clip.end_s);
    badge.replaceChildren(
      ...(clip.judgement
        ? [
            clip.judgement.keep === true ? "keep" : clip.judgement.keep === false ? "reject" : "",
            ...clip.judgement.flags.map((flag) => el("i", {}, flag)),
          ]
        : []),
    );
    badge.className = `badge ${clip.judgement && clip.judgement.keep === false ? "no" : ""}`;
    frame.replaceChildren(poster, ...(clip.judgement ? [badge] : []));
    const length = exactly(clip.end_s - clip.start_s),
      shown = sort && known(clip.scores[sort]) && sort !== "duration_s" ? `${sort} ${number(clip.scores[sort])}` : null;
    head.textContent = length;
    when.textContent = known(clip.likeness) ? `${number(100 * clip.likeness, 2)}${THIN}% alike` : between(clip.start_s, clip.end_s);
    name.textContent = name.title = clip.name;
    line.textContent = clip.line || "";
    more.textContent =
      shown ||
      (clip.kept
        ? Object.entries(clip.scores)
            .filter(([key, x]) => key !== "duration_s" && known(x))
            .slice(0, 2)
            .map(([key, x]) => `${key} ${number(x)}`)
            .join("  ·  ")
        : why({ ...clip, rejected_by: (clip.rejected_by || "").replace(" (not measured)", "") }));
    more.classList.toggle("why", !clip.kept && !shown);
    node.classList.toggle("aside", !clip.kept);
    node.classList.toggle("is-kept", clip.kept);
    if (href) node.href = href;
    else node.removeAttribute("href");
    node.setAttribute(
      "aria-label",
      `${length} at ${clock(clip.start_s)} in ${clip.name}, ${clip.kept ? "kept" : more.textContent}${clip.line ? `: ${clip.line}` : ""}`,
    );
    go(0.5);
  };
  node.fill(null);
  return node;
}
