// A clip's file, moved through frame by frame. A seek goes to the middle of a frame's time, so that it can land on no other.
const SPEEDS = [0.25, 0.5, 1, 2];
function playerOf(clip, { onframe = () => {}, autoplay = true } = {}) {
  const fps = clip.fps || 25,
    length = clip.end_s - clip.start_s,
    times = clip.frame_times, // where frames are not equally long
    frames = times ? times.length : Math.max(1, clip.end_frame - clip.start_frame || Math.round(length * fps));
  const begins = (k) => (!times ? k / fps : k < frames ? times[k] : length),
    // The frame that is shown at a time; a player's clock may be a little behind.
    frameAt = (t) => clamp(times ? times.findLastIndex((start) => start <= t + 0.002) : Math.floor(t * fps + 0.1), 0, frames - 1);
  const video = el("video", {
    playsInline: true,
    loop: true,
    preload: "auto",
    muted: stored("muted", "1") === "1",
    src: `/media/play/clip/${encodeURIComponent(clip.id)}`,
    "aria-label": `clip from ${clip.name}`,
  });
  if (clip.width && clip.height) video.style.aspectRatio = `${clip.width} / ${clip.height}`;
  const said = el("p", { className: "said", role: "status" }),
    at = el("span", { className: "at" });
  const bar = el("input", {
    type: "range",
    min: 0,
    max: frames - 1,
    step: 1,
    value: 0,
    "aria-label": "Frame of the clip",
    oninput: () => {
      video.pause();
      toFrame(Number(bar.value));
    },
  });
  let goal = null,
    wanted = 0,
    waiting = null,
    shown = 0,
    presented = 0,
    gone = false;
  function tell() {
    const k = frameAt(shown);
    if (document.activeElement !== bar || !video.seeking) bar.value = k;
    bar.setAttribute("aria-valuetext", `frame ${k}, ${shown.toFixed(2)} s`);
    at.replaceChildren(
      el("b", {}, exactTime(shown)),
      ` of ${exactTime(begins(frames))}`,
      el("span", { className: "soft" }, `  frame ${k}`, known(clip.start_frame) ? `, ${count(clip.start_frame + k)} of the video` : ""),
    );
    onframe(shown, k);
  }
  function watch() {
    if (video.requestVideoFrameCallback)
      video.requestVideoFrameCallback((_, meta) => {
        if (gone) return;
        shown = meta.mediaTime;
        presented = performance.now();
        tell();
        watch();
      });
  }
  // Frames are not presented while the video is out of sight; then its clock has to do.
  function byClock(t) {
    shown = begins(frameAt(t));
    tell();
  }
  // At a time that is asked for, rather than at a frame, is whichever frame is shown then: not all are equally long.
  function toFrame(k, t = null) {
    goal = clamp(k, 0, frames - 1);
    waiting = video.seeking ? [goal, t] : null; // a newer wish takes the place of one that waits
    if (waiting) return;
    wanted = t === null ? (begins(goal) + begins(goal + 1)) / 2 : t + Math.min(0.002, 0.25 / fps);
    presented = 0;
    video.currentTime = wanted;
  }
  video.onseeked = () => {
    if (waiting) toFrame(...waiting);
    else if (!presented) byClock(video.currentTime);
  };
  video.ontimeupdate = () => {
    if (!video.paused && performance.now() - presented > 400) byClock(video.currentTime);
  };
  video.onplay = () => {
    goal = null;
    play.textContent = "Pause";
  };
  video.onpause = () => {
    play.textContent = "Play";
  };
  const toggle = () => {
    if (video.paused) video.play().catch(() => {});
    else video.pause();
  };
  const step = (by) => {
    video.pause();
    toFrame((goal ?? frameAt(shown)) + by);
  };
  const seek = (t, on = false) => {
    toFrame(frameAt(t), t);
    if (on) video.play().catch(() => {});
  };
  const show = () => stage.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  const play = plain("Play", toggle, { title: "Space" }),
    wait = setTimeout(() => {
      if (video.readyState < 1 && !video.error) said.textContent = "A copy that this browser can play is being made.";
    }, 900);
  video.onloadedmetadata = () => {
    said.textContent = "";
    if (goal !== null) video.currentTime = wanted;
    if (autoplay && !calm && goal === null) video.play().catch(() => {});
  };
  video.onerror = async () => {
    if (gone || !video.error) return;
    clearTimeout(wait);
    video.hidden = true;
    said.textContent = "This clip can’t be played: ";
    try {
      const answer = await fetch(video.src, { headers: { Range: "bytes=0-0" } }),
        why = answer.ok ? "its format is none that this browser plays." : (await answer.json()).error;
      said.append(why);
    } catch {
      said.append("the viewer does not answer.");
    }
    if (clip.sheet) {
      const still = film({ preview: clip.sheet }, clip.start_s, clip.end_s);
      still.show((clip.start_s + clip.end_s) / 2);
      stage.prepend(still);
    }
  };
  const speed = choose(
    "Speed",
    SPEEDS.map((x) => [x, `${x}×`]),
    1,
    (x) => {
      video.playbackRate = x;
    },
  );
  const sound = plain(video.muted ? "Sound" : "Mute", () => {
    video.muted = !video.muted;
    store("muted", video.muted ? "1" : "0");
    sound.textContent = video.muted ? "Sound" : "Mute";
  });
  const stage = el("div", { className: "screen", onclick: toggle }, video, said);
  const node = el(
    "div",
    { className: "player" },
    stage,
    bar,
    el(
      "div",
      { className: "controls" },
      play,
      plain("−1", () => step(-1), { title: "One frame back: ,", "aria-label": "One frame back" }),
      plain("+1", () => step(1), { title: "One frame on: .", "aria-label": "One frame on" }),
      at,
      speed,
      sound,
      plain("Full screen", () => stage.requestFullscreen().catch(complain)),
    ),
  );
  watch();
  tell();
  return {
    node,
    video,
    seek,
    show,
    time: () => shown,
    keys: { " ": toggle, ",": () => step(-1), ".": () => step(1) },
    stop() {
      gone = true;
      clearTimeout(wait);
      video.onerror = null;
      video.pause();
      video.removeAttribute("src");
      video.load();
    },
  };
}
function exactTime(s) {
  const whole = Math.floor(s + 1e-6),
    part = Math.min(999, Math.round(1000 * (s - whole)));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}.${String(Math.max(0, part)).padStart(3, "0")}`;
}
