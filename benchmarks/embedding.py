"""How fast pictures and texts become vectors on this machine: a model of the size of CLIP ViT-L/14, its weights random.

    python benchmarks/embedding.py [--frames 8] [--texts 32] [--json results/embedding.json]

Speed does not depend on what a model was taught. Frames are as the signal's tap hands them over, so that preparing them
counts; `prepare` is its share. Captions are some 20 tokens long, dense ones 170 words, which are read in parts. Of each
the CPU seconds (of all threads) and the wall seconds, for one.
"""

import argparse
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _machine import measured_on, timed

from longtake.embed import Embedder
from longtake.signals.embedding import SPARE

WORDS = Path(__file__).resolve().parents[1] / "tests" / "data" / "tiny-clip"
SHORT = "A person walks along a street at night while the camera moves slowly to the left."
DENSE = " ".join([SHORT] * 10)


def embedder() -> Embedder:
    """Make a model of the published size, on a GPU in half precision where there is one."""
    torch, transformers = map(importlib.import_module, ("torch", "transformers"))
    transformers.utils.logging.set_verbosity_error()
    processor = transformers.AutoProcessor.from_pretrained(WORDS)
    side = {"height": 224, "width": 224}
    processor.image_processor.size, processor.image_processor.crop_size = {"shortest_edge": 224}, side
    large: dict[str, Any] = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24}
    text: dict[str, Any] = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12}
    vision = transformers.CLIPVisionConfig(**large, num_attention_heads=16, patch_size=14, image_size=224)
    end = {"eos_token_id": processor.tokenizer.eos_token_id, "bos_token_id": processor.tokenizer.bos_token_id}
    reader = transformers.CLIPTextConfig(**text, num_hidden_layers=12, vocab_size=49408, **end)
    config = transformers.CLIPConfig(text_config=reader.to_dict(), vision_config=vision.to_dict(), projection_dim=768)
    model = transformers.CLIPModel(config).eval()
    return Embedder("random", processor, model.half().to("cuda") if torch.cuda.is_available() else model)


def seconds(work: Callable[[], object], count: int) -> dict[str, float]:
    """Return CPU and wall seconds for one of so many things, the first call not counted."""
    work()
    cpu, wall = timed(work)
    return {"cpu_s": round(cpu / count, 4), "wall_s": round(wall / count, 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Pictures and texts to vectors, by a model of CLIP ViT-L/14's size.")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--texts", type=int, default=32)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch = importlib.import_module("torch")
    model = embedder()
    wide = SPARE * model.size
    frames = np.random.default_rng(0).integers(0, 256, (options.frames, wide * 9 // 16, wide, 3), dtype=np.uint8)
    found = {
        **measured_on(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "frame": [wide, wide * 9 // 16],
        "picture": seconds(lambda: model.images(frames), options.frames),
        "prepare": seconds(lambda: model._pictures(frames), options.frames),
        "caption": seconds(lambda: model.texts([SHORT] * options.texts), options.texts),
        "dense_caption": seconds(lambda: model.texts([DENSE] * (options.texts // 4)), options.texts // 4),
    }
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
