// Making elements. Data only ever become text nodes and properties, never markup.
function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.includes("-") || key === "role") node.setAttribute(key, value);
    else if (key === "style") Object.assign(node.style, value);
    else node[key] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
function url(path) {
  const parts = String(path).split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) return null;
  try { return "./" + parts.map(encodeURIComponent).join("/"); } catch { return null; }
}
const $ = (id) => document.getElementById(id);
const resized = new ResizeObserver((entries) => { for (const entry of entries) entry.target.redraw(); });
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); resized.observe(entry.target); }
}, { rootMargin: "600px" });
function drawnToFit(node, draw) {
  let width = 0;
  node.redraw = () => { if (node.clientWidth && node.clientWidth !== width) { width = node.clientWidth; draw(node, width, node.clientHeight); } };
  seen.observe(node);
  return node;
}

function inParts(section, list, items, first, make, words) {
  list.append(...items.slice(0, first).map(make));
  if (items.length <= first) return null;
  const more = el("button", { className: "more", type: "button", onclick: () => {
    const added = items.slice(first).map(make);
    list.append(...added);
    more.remove();
    (added[0].querySelector("[tabindex], button") || added[0]).focus();
  } }, words(items.length));
  list.after(more);
  return more;
}
function table(label, className, names, rows) {
  return el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": label }, el("table", { className }, el("thead", {}, el("tr", {}, ...names.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell)))))));
}

// One floating note for the whole page.
const tip = $("tip");
function showTip(x, y, ...children) {
  tip.replaceChildren(...children);
  tip.style.display = "block";
  const box = tip.getBoundingClientRect(), gap = 14;
  const left = clamp(x - box.width / 2, 8, innerWidth - box.width - 8), top = y - box.height - gap;
  tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top < 8 ? y + gap + 24 : top)}px)`;
}
const hideTip = () => { tip.style.display = "none"; };
addEventListener("scroll", hideTip, { passive: true });
