// A wall of tiles that scrolls through any number of clips: only those in sight are nodes, and used again for others.
// A browser can't scroll further than some 30 million pixels. Beyond TALLEST the scroll bar stands for a longer way: small
// moves stay as they are, large ones lead to their share of the whole.
const PAGE = 100,
  TALLEST = 8e6,
  PAGES_KEPT = 60;
function wall({ label, fetchPage, hrefOf, wide, sort = () => null, onfirst = () => {}, dense = false }) {
  const floor = el("div", { className: "floor", role: "list" }),
    box = el("div", { className: "wall", role: "region", tabIndex: 0, "aria-label": label }, floor);
  const inUse = new Map(),
    spare = [],
    pages = new Map();
  let total = 0,
    columns = 1,
    rowHeight = 1,
    tall = 0,
    top = 0,
    last = 0,
    age = 0,
    width = wide,
    active = 0,
    idle = 0,
    across = 1;
  const view = () => box.clientHeight,
    whole = () => Math.ceil(total / columns) * rowHeight,
    furthest = () => Math.max(0, whole() - view());

  async function ask(n) {
    const mine = age,
      entry = { clips: null, stop: new AbortController() };
    pages.set(n, entry);
    try {
      const told = await fetchPage(n * PAGE, PAGE, entry.stop.signal);
      if (mine !== age) return;
      entry.clips = told.clips;
      if (told.total !== total) {
        total = told.total;
        for (const item of inUse.values()) item.setAttribute("aria-setsize", total);
        measure();
      }
      if (n === 0) onfirst(told);
      draw();
    } catch (error) {
      if (pages.get(n) === entry) pages.delete(n);
      if (mine === age) complain(error);
    }
  }
  const clipAt = (i) => pages.get(Math.floor(i / PAGE))?.clips?.[i % PAGE] || null;
  const want = later(() => {
    const [from, to] = sight(1.5),
      first = Math.floor(from / PAGE),
      past = Math.floor(Math.max(from, to - 1) / PAGE);
    for (const [n, entry] of pages)
      if (!entry.clips && (n < first || n > past)) {
        entry.stop.abort();
        pages.delete(n);
      }
    for (let n = first; n <= past; n += 1) if (!pages.has(n) && n * PAGE < total) ask(n);
    for (const n of [...pages.keys()].sort((a, b) => Math.abs(b - first) - Math.abs(a - first)).slice(0, Math.max(0, pages.size - PAGES_KEPT)))
      if (n < first || n > past) pages.delete(n);
  }, 50);
  function sight(extra) {
    const from = Math.max(0, Math.floor((top - extra * view()) / rowHeight)) * columns,
      to = Math.min(total, Math.ceil((top + (1 + extra) * view()) / rowHeight) * columns);
    return [from, to];
  }
  function measure() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize),
      style = getComputedStyle(floor),
      gap = parseFloat(style.columnGap) || 0,
      room = floor.clientWidth,
      at = first();
    columns = Math.max(1, Math.round((room + gap) / (width * rem + gap)));
    const each = (room - (columns - 1) * gap) / columns;
    rowHeight = Math.round((each * 9) / 16 + parseFloat(style.getPropertyValue("--words")) * rem);
    box.style.setProperty("--each", `${each}px`);
    tall = Math.min(whole(), TALLEST);
    floor.style.height = `${tall}px`;
    across = each + gap;
    if (at) toTop(Math.floor(at / columns) * rowHeight);
  }
  const first = () => (rowHeight > 1 ? Math.round(top / rowHeight) * columns : 0);
  const toBar = (y) => (tall < whole() ? (y / (furthest() || 1)) * (tall - view()) : y);
  function toTop(y) {
    top = clamp(y, 0, furthest());
    last = toBar(top);
    box.scrollTop = last;
    last = box.scrollTop;
    draw();
  }
  function draw() {
    const [from, to] = sight(0.5),
      by = box.scrollTop - top;
    for (const [i, item] of inUse)
      if ((i < from || i >= to) && !item.contains(document.activeElement)) {
        inUse.delete(i);
        item.hidden = true;
        spare.push(item);
      }
    for (let i = from; i < to; i += 1) {
      let item = inUse.get(i);
      if (!item) {
        item = spare.pop() || made();
        item.hidden = false;
        inUse.set(i, item);
        item.at = i;
        item.setAttribute("aria-posinset", i + 1);
        item.setAttribute("aria-setsize", total);
      }
      const clip = clipAt(i);
      item.style.transform = `translate(${(i % columns) * across}px, ${Math.floor(i / columns) * rowHeight + by}px)`;
      item.firstChild.tabIndex = i === active ? 0 : -1;
      item.firstChild.fill(clip, clip ? { href: hrefOf(clip, i), sort: sort() } : {});
    }
    want();
  }
  function made() {
    const item = el("div", { role: "listitem", className: "item" }, tile({ dense }));
    item.addEventListener("focusin", () => {
      active = item.at;
    });
    floor.append(item);
    return item;
  }
  box.onscroll = () => {
    hideTip();
    const now = box.scrollTop,
      moved = now - last;
    last = now;
    if (tall >= whole()) top = now;
    else if (Math.abs(moved) < 2 * view() && now > 0 && now < tall - view() - 1) top = clamp(top + moved, 0, furthest());
    else top = clamp(now / (tall - view() || 1), 0, 1) * furthest();
    draw();
    clearTimeout(idle);
    if (tall < whole())
      idle = setTimeout(() => {
        last = Math.round(toBar(top));
        box.scrollTop = last;
        last = box.scrollTop;
        draw();
      }, 180);
  };
  box.onkeydown = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const ways = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns },
      inside = event.target !== box;
    if (event.key === "Home") {
      reach(0);
    } else if (event.key === "End") {
      reach(total - 1);
    } else if (event.key in ways && total) reach(inside ? active + ways[event.key] : active);
    else return;
    event.preventDefault();
  };
  function reach(i, focus = true) {
    active = clamp(i, 0, Math.max(0, total - 1));
    const y = Math.floor(active / columns) * rowHeight;
    if (y < top) toTop(y);
    else if (y + rowHeight > top + view()) toTop(y + rowHeight - view());
    else draw();
    if (focus) inUse.get(active)?.firstChild.focus({ preventScroll: true });
  }
  const sized = new ResizeObserver(() => {
    if (box.clientWidth) {
      measure();
      draw();
    }
  });
  sized.observe(box);
  return {
    node: box,
    reach,
    total: () => total,
    now: () => first(),
    refill({ at = 0 } = {}) {
      age += 1;
      for (const entry of pages.values()) entry.stop.abort();
      pages.clear();
      const page = Math.floor(at / PAGE);
      if (at) {
        total = Math.max(total, at + 1);
        active = at;
        measure();
        reach(at, false);
      }
      return ask(page).then(() => {
        if (page) ask(0);
        if (at) reach(at, false);
        else {
          active = 0;
          toTop(0);
        }
      });
    },
    freshen() {
      age += 1;
      for (const entry of pages.values()) entry.stop.abort();
      pages.clear();
      const n = Math.floor(first() / PAGE);
      return ask(n);
    },
    widen(next) {
      width = next;
      measure();
      draw();
    },
    stop() {
      sized.disconnect();
      want.stop();
      clearTimeout(idle);
      age += 1;
      for (const entry of pages.values()) entry.stop.abort();
    },
  };
}
