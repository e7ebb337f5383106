// Pictures: tile k of a video lies in a grid of tiles, files one after another, row by row.
function tileAt(preview, t, start = 0, end = Infinity) {
  const first = Math.ceil(start / preview.every_s - 1e-6), last = Math.min(Math.ceil(end / preview.every_s - 1e-6), preview.count) - 1;
  let k = Math.floor(t / preview.every_s);
  if (first <= last) k = clamp(k, first, last);   // a picture from inside the span, where there is one
  k = clamp(k, 0, preview.count - 1);
  const inFile = k % (preview.columns * preview.rows);
  return { k, src: url(preview.files[Math.floor(k / (preview.columns * preview.rows))] || ""), column: inFile % preview.columns, row: Math.floor(inFile / preview.columns) };
}
const pictured = (video) => video && video.preview && video.preview.count > 0 && video.preview.files.length > 0;
function picture(tile) {
  const img = el("img", { alt: "", loading: "lazy", decoding: "async", draggable: false });
  img.onerror = () => { img.style.visibility = "hidden"; };
  if (tile.src) img.src = tile.src;
  return img;
}
function film(video, start, end) {
  const box = el("div", { className: "film" });
  box.show = () => {};
  if (!pictured(video)) { box.classList.add("none"); box.append("no preview"); return box; }
  const [w, h] = video.preview.tile, tall = w / h < 16 / 9;
  const inner = el("div", { style: { aspectRatio: `${w} / ${h}`, [tall ? "height" : "width"]: "100%" } });
  let img = null, now = null;
  box.show = (t) => {
    const tile = tileAt(video.preview, t, start, end);
    if (now && now.k === tile.k) return;
    if (!img || now.src !== tile.src) { img = picture(tile); inner.replaceChildren(img); }
    now = tile;
    const percent = (pixels) => `${100 * pixels / (w - 2)}%`;   // a pixel is cut from each edge, where neighbours bleed into one another
    Object.assign(img.style, { width: percent(video.preview.columns * w), left: percent(-tile.column * w - 1), top: percent(-tile.row * w - 1) });
    box.dataset.tile = tile.k;
  };
  box.append(inner);
  return box;
}
function strip(video, start, end, most = Infinity) {
  return drawnToFit(el("div", { className: "strip" }), (node, width, height) => {
    const { tile: [w, h], columns } = video.preview, full = height * w / h;
    const n = Math.min(most, Math.max(1, Math.ceil(width / full - 0.05))), cell = width / n, wide = Math.max(full, cell) * w / (w - 2), tall = wide * h / w;
    const cells = [];
    for (let i = 0; i < n; i += 1) {
      const tile = tileAt(video.preview, start + (i + 0.5) / n * (end - start), start, end), img = picture(tile);
      Object.assign(img.style, { width: `${columns * wide}px`, left: `${-tile.column * wide - (wide - cell) / 2}px`, top: `${-tile.row * tall - (tall - height) / 2}px` });
      cells.push(el("div", { style: { width: `${cell}px`, height: "100%" } }, img));
    }
    node.replaceChildren(...cells);
  });
}
