// Words and numbers. Nothing breaks between a number and its unit; thousands stand a thin space apart.
const THIN = "\u202f", GAP = "\u00a0";
const known = (x) => typeof x === "number" && Number.isFinite(x);
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const count = (n) => String(Math.round(n || 0)).replace(/\B(?=(\d{3})+$)/g, THIN);
const many = (n, one, more = one + "s") => `${count(n)} ${n === 1 ? one : more}`;
function lasting(s) {
  if (!known(s)) return "unknown";
  if (s < 9.95) return (s === 0 ? "0" : s.toFixed(1)) + GAP + "s";
  if (s < 89.5) return Math.round(s) + GAP + "s";
  if (s < 597) return (s / 60).toFixed(1) + GAP + "min";
  if (s < 5370) return Math.round(s / 60) + GAP + "min";
  return (s < 35820 ? (s / 3600).toFixed(1) : count(s / 3600)) + GAP + "h";
}
function exactly(s) {
  if (!known(s)) return "unknown";
  if (s < 59.95) return s.toFixed(1) + GAP + "s";
  const whole = Math.round(s);
  return whole < 3600 ? `${Math.floor(whole / 60)}${GAP}min ${whole % 60}${GAP}s` : `${Math.floor(whole / 3600)}${GAP}h ${Math.floor(whole / 60) % 60}${GAP}min`;
}
function clock(s) {
  const tenths = Math.round((s || 0) * 10), whole = Math.floor(tenths / 10);
  const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, pad = (x) => String(x).padStart(2, "0");
  return `${h ? h + ":" + pad(m) : m}:${pad(whole % 60)}.${tenths % 10}`;
}
const between = (a, b) => `${clock(a)}\u2009–\u2009${clock(b)}`;
const number = (x, digits = 3) => !known(x) ? "not measured" : Math.abs(x) >= 1000 ? (x < 0 ? "−" : "") + count(Math.abs(x)) : String(Number(x.toPrecision(digits))).replace("-", "−");
function share(part, whole) {
  if (!(whole > 0)) return "0" + THIN + "%";
  const p = 100 * part / whole;
  return (p === 0 ? "0" : p < 0.1 ? "<" + THIN + "0.1" : p < 9.95 ? p.toFixed(1) : p > 99.5 && p < 100 ? ">" + THIN + "99" : Math.round(p)) + THIN + "%";
}
function weight(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
  let u = 0, x = bytes || 0;
  while (x >= 999.5 && u < 5) { x /= 1000; u += 1; }
  return (u && x < 9.95 ? x.toFixed(1) : Math.round(x)) + GAP + units[u];
}
function nice(span, wanted) {
  const raw = span / Math.max(1, wanted), base = 10 ** Math.floor(Math.log10(raw));
  return base * [1, 2, 5, 10].find((f) => f * base >= raw * 0.999);
}
function ruleParts(rule) {
  const found = /^\s*([^\s<>=!]+)\s*(>=|<=|==|!=|>|<)\s*(.+?)\s*$/.exec(rule || "");
  return found ? { key: found[1], test: `${found[2]} ${found[3]}` } : { key: rule || "", test: "" };
}
function why(clip) {
  const { key, test } = ruleParts(clip.rejected_by);
  if (!clip.rejected_by) return "rejected";
  if (!known(clip.rejected_value)) return `${key} was not measured`;
  return test ? `${key} is ${number(clip.rejected_value)}, not ${test}` : `${key}: ${number(clip.rejected_value)}`;
}
// What a second look found in a clip's file, in seconds of the file; empty where it found nothing or there was none.
const foundIn = (clip) => (clip.found || []).map(([start, end, kind]) => `${kind} at ${end > start ? between(start, end) : clock(start)}`);
const again = (clip) => `second look: ${foundIn(clip).slice(0, 3).join(", ")}${clip.found.length > 3 ? ", ..." : ""}`;
