"""Pictures with overlaid text whose place is known, and pictures that only look like it, for `training/text.py`.

The text is random, in the fonts of a folder: what is learned is how lettering looks, not what it says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]
FINE = 2
"""Text is drawn so many times as large, and made small as scaling does."""
LATIN = "eeeettaaoinshrdlcumwfgypbvk"
SCRIPTS = {
    "": LATIN,
    "greek": "αβγδεζηθικλμνξοπρστυφχψω",
    "cyrillic": "абвгдежзиклмнопрстуфхцчшщыэюя",
    "Arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "Devanagari": "अआइईउऊएऐओऔकखगघचछजझटठडढतथदधनपफबभमयरलवशषसह",
    "Thai": "กขคฆงจฉชซญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหอฮ",
    "Hebrew": "אבגדהוזחטיכלמנסעפצקרשת",
    "zenhei": "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后",
}


HELD_OUT = ("ComicNeue", "DejaVuSerif", "Lato")
"""Families that the network never sees, so that it can be judged on them."""


def fonts_in(folder: Path, *, held_out: bool) -> list[Path]:
    """Return the fonts of a folder, in folders or not, that are held out, or all the others."""
    files = [path for path in folder.rglob("*") if path.suffix in (".ttf", ".otf", ".ttc")]
    return [path for path in files if path.name.startswith(HELD_OUT) == held_out]


@dataclass(frozen=True, slots=True)
class Layer:
    """What is drawn over a picture: how bright and how opaque it is, 0 to 1, and where text is; fine pixels."""

    ink: Floats
    cover: Floats
    text: Gray

    @classmethod
    def empty(cls, size: tuple[int, int]) -> "Layer":
        """Return a layer of nothing for a picture of (width, height)."""
        shape = (size[1] * FINE, size[0] * FINE)
        return cls(np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.uint8))

    def paint(self, mask: Floats, ink: float, alpha: float = 1.0) -> None:
        """Paint where the mask is."""
        over = mask * alpha
        self.ink[:] = np.where(over > 0, (self.ink * self.cover * (1 - over) + ink * over), self.ink * self.cover)
        self.cover[:] = self.cover * (1 - over) + over
        np.divide(self.ink, self.cover, out=self.ink, where=self.cover > 1e-6)

    def over(self, picture: Gray) -> tuple[Gray, Floats]:
        """Return the picture with the layer over it, and the share of each pixel that is text."""
        size = picture.shape[::-1]
        cover = cv2.resize(self.cover, size, interpolation=cv2.INTER_AREA)
        ink = cv2.resize(self.ink * self.cover, size, interpolation=cv2.INTER_AREA)
        text = cv2.resize(self.text.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        mixed = picture * (1 - cover) + 255 * ink
        return np.clip(mixed, 0, 255).astype(np.uint8), np.asarray(text, np.float32)


class Lettering:
    """Draws text of all kinds over pictures."""

    def __init__(self, fonts: Sequence[Path], rng: np.random.Generator) -> None:
        self.rng = rng
        files = sorted(fonts)
        latin = [path for path in files if "Noto" not in path.name and "zenhei" not in path.name]
        self.files = {"": latin}
        for script in list(SCRIPTS)[1:3]:
            self.files[script] = [path for path in latin if "DejaVu" in path.name]
        for script in list(SCRIPTS)[3:]:
            self.files[script] = [path for path in files if script in path.name] or latin
        self.loaded: dict[tuple[Path, int], ImageFont.FreeTypeFont] = {}
        self.kinds: tuple[tuple[float, Callable[[Layer], None]], ...] = (
            (0.26, self.subtitle),
            (0.18, self.credits),
            (0.16, self.title),
            (0.12, self.name),
            (0.16, self.mark),
            (0.06, self.ticker),
            (0.06, self.counter),
        )

    def draw(self, layer: Layer) -> None:
        """Draw one to three texts of any kind."""
        weights = [weight for weight, _ in self.kinds]
        count = self.rng.choice([1, 2, 3], p=[0.7, 0.22, 0.08])
        for k in self.rng.choice(len(self.kinds), count, replace=False, p=np.array(weights) / sum(weights)):
            self.kinds[k][1](layer)

    def subtitle(self, layer: Layer) -> None:
        """Draw one or two centred lines at the bottom, seldom at the top."""
        size = self.between(0.035, 0.085)
        lines = [self.words(3, 8) for _ in range(self.rng.integers(1, 3))]
        bottom = self.between(0.03, 0.12)
        y = bottom if self.rng.random() < 0.1 else 1 - bottom - 1.25 * size * len(lines)
        self.block(layer, lines, size, 0.5, y)

    def credits(self, layer: Layer) -> None:
        """Draw many small lines, often on a dark ground."""
        if self.rng.random() < 0.5:
            layer.paint(np.ones_like(layer.cover), self.between(0, 0.1), self.between(0.5, 1))
        size, y = self.between(0.025, 0.055), self.between(-0.1, 0.4)
        lines = [self.words(1, 4) for _ in range(self.rng.integers(4, 16))]
        self.block(layer, lines, size, self.rng.choice([0.25, 0.5, 0.5, 0.75]), y, gap=self.between(1.2, 2), plain=True)

    def title(self, layer: Layer) -> None:
        """Draw a few large words, somewhere."""
        lines = [self.words(1, 3) for _ in range(self.rng.integers(1, 3))]
        self.block(layer, lines, self.between(0.08, 0.24), self.between(0.3, 0.7), self.between(0.1, 0.7))

    def name(self, layer: Layer) -> None:
        """Draw a name and a line below it in the lower third."""
        size, x, y = self.between(0.035, 0.07), self.between(0.2, 0.4), self.between(0.65, 0.8)
        self.block(layer, [self.words(2, 4), self.words(2, 5)], size, x, y)

    def mark(self, layer: Layer) -> None:
        """Draw a faint word, mostly in a corner."""
        size = self.between(0.025, 0.08)
        x = self.rng.choice([0.13, 0.5, 0.87], p=[0.4, 0.2, 0.4])
        y = self.rng.choice([0.04, 0.5, 0.9], p=[0.4, 0.15, 0.45])
        self.block(layer, [self.words(1, 2)], size, x, y, alpha=self.between(0.3, 1), plain=True)

    def ticker(self, layer: Layer) -> None:
        """Draw a line from side to side on a bar."""
        size, y = self.between(0.035, 0.06), self.between(0.85, 0.92)
        bar = np.zeros_like(layer.cover)
        height = bar.shape[0]
        bar[int((y - 0.3 * size) * height) : int((y + 1.5 * size) * height)] = 1
        layer.paint(bar, ink := self.between(0, 1), self.between(0.6, 1))
        self.block(layer, [self.words(14, 20)], size, 0.5, y, ink=self.against(ink), plain=True)

    def counter(self, layer: Layer) -> None:
        """Draw a time or a number."""
        digits = self.rng.integers(0, 60, 3)
        text = [":".join(f"{d:02d}" for d in digits), f"{digits[0]}.{digits[1]}", f"{digits[2]}/{digits[0]} km"]
        where = self.between(0.1, 0.9), self.between(0.03, 0.9)
        self.block(layer, [str(self.rng.choice(text))], self.between(0.03, 0.1), *where)

    def block(
        self,
        layer: Layer,
        lines: Sequence[str],
        size: float,
        x: float,
        y: float,
        *,
        gap: float = 1.25,
        ink: float | None = None,
        alpha: float = 1.0,
        plain: bool = False,
    ) -> None:
        """Draw lines of `size` heights below each other, centred at x, from y on; outlined, boxed or plain."""
        height, width = layer.cover.shape
        pixels = max(8, int(size * min(height, width * 9 / 16 * 1.6)))
        script = str(self.rng.choice(list(SCRIPTS), p=[0.72, *[0.04] * 7]))
        font = self.font(script, pixels)
        letters = SCRIPTS[script]
        canvas, edge = (Image.new("L", (width, height)) for _ in range(2))
        draw, outline = ImageDraw.Draw(canvas), ImageDraw.Draw(edge)
        stroke = 0 if plain and self.rng.random() < 0.7 else int(self.rng.integers(0, 1 + max(1, pixels // 10)))
        case = self.rng.choice([str.lower, str.upper, str.title], p=[0.4, 0.25, 0.35])
        boxes = []
        for i, line in enumerate(lines):
            line = case(line) if script == "" else self.into(line, letters)
            wide = font.getlength(line)
            if wide > 1.5 * width:
                line = line[: int(len(line) * 1.2 * width / wide)]
                wide = font.getlength(line)
            at = (x * width - wide / 2, y * height + i * gap * pixels)
            draw.text(at, line, fill=255, font=font)
            outline.text(at, line, fill=255, font=font, stroke_width=stroke)
            boxes.append(draw.textbbox(at, line, font=font))
        if ink is None:
            ink = float(self.rng.choice([1.0, self.between(0.75, 1), self.between(0, 0.25), self.between(0, 1)]))
        if not plain and self.rng.random() < 0.35:
            pad = pixels * self.between(0.1, 0.5)
            box = Image.new("L", (width, height))
            left, top, right, bottom = np.array(boxes).T
            spot = (left.min() - pad, top.min() - pad, right.max() + pad, bottom.max() + pad)
            ImageDraw.Draw(box).rectangle(spot, fill=255)
            layer.paint(np.asarray(box, np.float32) / 255, self.against(ink), self.between(0.3, 1))
        elif stroke:
            layer.paint(np.asarray(edge, np.float32) / 255, self.against(ink), alpha)
        elif self.rng.random() < 0.4:
            shift = max(1, pixels // 16)
            shadow = np.roll(np.asarray(canvas, np.float32) / 255, (shift, shift), (0, 1))
            layer.paint(shadow, 0.0 if ink > 0.3 else 1.0, alpha * 0.8)
        layer.paint(np.asarray(canvas, np.float32) / 255, ink, alpha)
        for left, top, right, bottom in boxes:
            top, left = max(0, int(top)), max(0, int(left))
            layer.text[top : max(0, int(bottom)), left : max(0, int(right))] = 1

    def words(self, least: int, most: int) -> str:
        """Return random words."""
        count = self.rng.integers(least, most + 1)
        letters = list(LATIN)
        return " ".join("".join(self.rng.choice(letters, self.rng.integers(2, 9))) for _ in range(count))

    def into(self, line: str, letters: str) -> str:
        """Return a line with other letters, its gaps kept."""
        return "".join(" " if c == " " else letters[ord(c) * 7 % len(letters)] for c in line)

    def font(self, script: str, pixels: int) -> ImageFont.FreeTypeFont:
        """Return a random font of a script."""
        path = self.files[script][self.rng.integers(len(self.files[script]))]
        if (path, pixels) not in self.loaded:
            self.loaded[path, pixels] = ImageFont.truetype(path, pixels)
        return self.loaded[path, pixels]

    def against(self, ink: float) -> float:
        """Return a tone that shows against another."""
        return self.between(0, max(0.0, ink - 0.5)) if ink > 0.5 else self.between(min(1.0, ink + 0.5), 1)

    def between(self, least: float, most: float) -> float:
        """Return a random number."""
        return float(self.rng.uniform(least, most))


def pattern(size: tuple[int, int], rng: np.random.Generator, *, coarsest: float = 60) -> Gray:
    """Return a picture of bricks, stripes, bars, windows, tiles, leaves or lines, seen from somewhere.

    It repeats every 4 to `coarsest` pixels, before it is seen.
    """
    side = 2 * max(size)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    step, thin = rng.uniform(4, coarsest), rng.uniform(0.05, 0.6)
    kind = rng.integers(7)
    if kind == 0:  # bricks
        row = y // step
        flat = ((y % step) / step < thin / 2) | (((x + step * (row % 2)) % (2 * step)) / step < thin)
    elif kind == 1:  # stripes, fences
        flat = (x % step) / step < thin
    elif kind == 2:  # grids, tiles
        flat = ((x % step) / step < thin) | ((y % (step * rng.uniform(0.5, 2))) / step < thin)
    elif kind == 3:  # windows, some lit
        cell = rng.random((side // int(step) + 2, side // int(step) + 2)) < 0.5
        flat = cell[(y // step).astype(int), (x // step).astype(int)]
        flat &= ((x % step) / step > thin) & ((y % step) / step > thin)
    elif kind == 4:  # leaves, pebbles
        noise = rng.standard_normal((side // int(max(2, step / 5)) + 2,) * 2).astype(np.float32)
        flat = cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC) > rng.uniform(-0.5, 1)
    elif kind == 5:  # twigs, wires
        canvas = np.zeros((side, side), np.uint8)
        for _ in range(rng.integers(20, 200)):
            a, b = rng.integers(0, side, (2, 2))
            end = (a + (b - a) * rng.uniform(0.05, 0.6)).astype(int)
            cv2.line(canvas, a.tolist(), end.tolist(), 1, int(rng.integers(1, 6)))
        flat = canvas > 0
    else:  # boards, crosses
        flat = ((x // step + y // step) % 2).astype(bool)
    tones = rng.uniform(0, 255, 2)
    drawn = np.where(flat, *tones).astype(np.float32)
    grain = cv2.resize(rng.standard_normal((side // 16, side // 16)).astype(np.float32), (side, side))
    drawn += rng.uniform(0, 30) * grain
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    seen = (corners + rng.uniform(-1, 1, (4, 2)).astype(np.float32) * rng.choice([0, 0.1, 0.25])) * side
    middle = np.array(size, np.float32) / 2 - side / 2
    turn = cv2.getPerspectiveTransform(corners * side, (seen + middle).astype(np.float32))
    shown = cv2.warpPerspective(drawn, turn, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    shown = cv2.GaussianBlur(shown, (0, 0), rng.uniform(0.3, 1.2))
    return np.clip(shown, 0, 255).astype(np.uint8)
