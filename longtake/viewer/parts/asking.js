// Asking the server. What it says when it can't answer is shown as it is.
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
async function ask(path, body, signal) {
  const how = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(path, { ...how, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The viewer does not answer. Has it ended? Type longtake view again, and reload this page.");
  }
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}
// Asks one thing at a time: a newer question stops the older one.
function newest() {
  let last = null;
  const asking = (path, body) => {
    last?.abort();
    last = new AbortController();
    return ask(path, body, last.signal);
  };
  asking.stop = () => last?.abort();
  return asking;
}
// Does `work` for what is so now. What changes meanwhile is seen to once it is done, so answers never overtake one another.
function following(work) {
  let busy = false,
    again = false;
  return async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    do {
      again = false;
      await new Promise((done) => requestAnimationFrame(done));
      try {
        await work();
      } catch (error) {
        complain(error);
      }
    } while (again);
    busy = false;
  };
}
function later(work, ms) {
  let waiting = 0;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(work, ms);
  };
  soon.stop = () => clearTimeout(waiting);
  return soon;
}
const dropped = (error) => error.name === "AbortError";
const notice = $("notice");
function say(...children) {
  notice.className = "notice";
  notice.replaceChildren(
    el("span", {}, ...children),
    el("button", { type: "button", className: "plain", onclick: () => notice.replaceChildren() }, "Close"),
  );
}
function complain(error) {
  if (dropped(error)) return;
  say(error.message);
  notice.classList.add("wrong");
}
const kinds = ["cut", "dissolve", "fade", "wipe"];
const tint = (kind) => `var(--${kinds.includes(kind) ? kind : "cut"})`;
const along = (length) => (t) => `${100 * clamp(t / length, 0, 1)}%`;
function grouped(list, key) {
  const groups = new Map();
  for (const item of list) {
    if (!groups.has(key(item))) groups.set(key(item), []);
    groups.get(key(item)).push(item);
  }
  return [...groups];
}
const plain = (word, onclick, more = {}) => el("button", { type: "button", className: "plain", onclick, ...more }, word);
const key = (name) => el("kbd", {}, name);
// Buttons of which one is pressed.
function choice(label, options, now, onchoose) {
  const buttons = options.map(([value, ...words]) =>
    el(
      "button",
      {
        type: "button",
        "aria-pressed": value === now,
        onclick: () => {
          box.choose(value);
          onchoose(value);
        },
      },
      ...words,
    ),
  );
  const box = el("div", { className: "choice", role: "group", "aria-label": label }, ...buttons);
  box.choose = (value) => options.forEach(([one], i) => buttons[i].setAttribute("aria-pressed", one === value));
  return box;
}
function choose(label, options, now, onchoose) {
  const box = el("select", { "aria-label": label, onchange: () => onchoose(options[box.selectedIndex][0]) });
  box.choose = (value) => {
    box.selectedIndex = Math.max(
      0,
      options.findIndex(([one]) => one === value),
    );
  };
  box.offer = (next, value) => {
    options = next;
    box.replaceChildren(...options.map(([, word]) => el("option", {}, word)));
    box.choose(value);
  };
  box.offer(options, now);
  return box;
}
