"""Histograms as pictures for a dataset card: SVG, which the hub and every browser show."""

from collections.abc import Sequence

import numpy as np

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 16, 16, 34, 34
BINS = 32
MOST = 0.99
"""The share of the values that is drawn to scale; what is above them stands in the last bar."""
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #5f6268 }
.title { font-size: 14px; fill: #1d1e20 }
rect { fill: #00805f }
line { stroke: #b9bcc2 }
@media (prefers-color-scheme: dark) {
  text { fill: #a5a7ab } .title { fill: #e9e7e2 } rect { fill: #35c69a } line { stroke: #4a4c50 }
}"""


def histogram(values: Sequence[float], title: str, unit: str) -> str:
    """Return a histogram as an SVG file; equal values, equal bytes. There has to be a value."""
    numbers = np.asarray(values, np.float64)
    high = float(np.quantile(numbers, MOST))
    low = 0.0 if numbers.min() < 0.5 * high else float(numbers.min())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    counts = np.histogram(np.clip(numbers, edges[0], edges[-1]), edges)[0]
    wide, tall = (WIDTH - LEFT - RIGHT) / BINS, HEIGHT - TOP - BOTTOM
    heights = counts / counts.max() * tall
    bars = [
        f'<rect x="{LEFT + i * wide:.1f}" y="{HEIGHT - BOTTOM - height:.1f}" width="{wide - 1:.1f}" '
        f'height="{height:.1f}"><title>{edges[i]:.3g} to {edges[i + 1]:.3g} {unit}: {count:,}</title></rect>'
        for i, (height, count) in enumerate(zip(heights, counts.tolist(), strict=True))
    ]
    ends = (("start", LEFT, edges[0]), ("middle", WIDTH / 2, edges[BINS // 2]), ("end", WIDTH - RIGHT, edges[-1]))
    ticks = [
        f'<text x="{x:g}" y="{HEIGHT - 12}" text-anchor="{anchor}">{at:.3g} {unit}</text>' for anchor, x, at in ends
    ]
    more = " and more" if numbers.max() > edges[-1] else ""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
            f"<style>{STYLE}</style>",
            f'<text class="title" x="{LEFT}" y="20">{title}: {len(numbers):,}, median {np.median(numbers):.3g} {unit}'
            f"{f', the last bar {edges[-2]:.3g} {unit}{more}' if more else ''}</text>",
            *bars,
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM + 0.5}" y2="{HEIGHT - BOTTOM + 0.5}"/>',
            *ticks,
            "</svg>",
            "",
        ]
    )
