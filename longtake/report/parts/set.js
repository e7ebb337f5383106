// What the page shows.
const data = JSON.parse(document.getElementById("data").textContent);
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const totals = data.totals, clips = data.clips, videos = data.videos;
const keptClips = clips.filter((clip) => clip.kept), rejectedClips = clips.filter((clip) => !clip.kept);
const byId = new Map(clips.map((clip) => [clip.id, clip]));
const ruleOf = new Map(data.recipe.rules.map((rule) => [ruleParts(rule).key, rule]));
const steps = data.funnel.filter((step) => step.rule !== null);
const hardest = steps.reduce((most, step) => (step.rejected > (most ? most.rejected : 0) ? step : most), null);
const folders = videos.map((video) => video.path.split("/").slice(0, -1));
const shared = folders.length ? folders.reduce((a, b) => a.slice(0, Math.max(0, [...a, null].findIndex((part, i) => part !== b[i])))) : [];
const shortly = (path) => path.split("/").slice(shared.length).join("/");   // without the folder that all videos share
const nameOf = (clip) => (videos[clip.video] ? videos[clip.video].path : "a video not listed here");
const shownName = (clip) => (videos[clip.video] ? shortly(nameOf(clip)) : nameOf(clip));
const toClip = (id, words) => { const clip = byId.get(id); return clip ? el("button", { type: "button", className: "link", onclick: () => look(clip, clip.kept ? keptClips : rejectedClips) }, words(clip)) : id; };
const told = data.captions.count > 0 || data.captions.answers.length > 0 || data.captions.waiting !== null;
const kinds = ["cut", "dissolve", "fade", "wipe"];
const tookMost = () => hardest ? [el("code", {}, hardest.rule), ` took most: ${many(hardest.rejected, "clip")} of ${count(totals.clips)}.`] : [];
