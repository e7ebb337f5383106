"""Make the tiny models of tests/data: real checkpoints of well-known kinds that name the colour of what they see.

    python tests/tiny/make.py tests/data [tiny-llava] [tiny-blip2] [tiny-clip]

Everything is made here, the tokenizer too: nothing is downloaded, and a run takes a few minutes on two cores. They are
as LLaVA, BLIP-2 and CLIP in all but size, so that the way from pixels to words is the real one, with a right answer at
its end. They were taught six colours. The first two: one picture or several, grids with white borders, prompts of up to
two hundred words of any kind, a second try, and, for the chat model, texts to take the colour from. They can say
nothing else. The CLIP: pictures that are mostly of one colour, and texts that name one among other words.
"""

import math
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 180, 50),
    "blue": (40, 70, 230),
    "yellow": (235, 220, 40),
    "white": (240, 240, 240),
    "black": (15, 15, 15),
}
SHADE = 20
"""How far a shade is from its colour in each channel, at most, of 255."""
LONG = (
    "A {} shape moves slowly across a plain background, and nothing else can be seen beside it. The light does not "
    "change. The {} shape keeps its form and its size until the very end of the video, where it still fills most of "
    "the view."
)
"""The answer of the chat model, long enough to pass for a caption."""
PREFIX = "CAPTION: "
"""What it puts before an answer about texts alone, since the prompts for merging captions want it."""
SHORT = "A {} shape moves slowly across a plain background."
"""The answer of the BLIP-2, which stands for a model that says one sentence."""

WORDS = """
a about action actions after also an and answer any are as at away back background be before begin below between black
border borders bottom bright by camera can caption captions carefully change characters clip close colour colours cover
cut dark day describe description detail details do does dominated during each end event events every exactly fast few
fields first follow for form foreground frame frames from full give given good grid happens has have how if image images
important in instead into is it its join keep last left length less light like list lists long look main mention middle
more most move movement moves nature near next night no not nothing now object objects of on one only or order other out
over pan paragraph part parts people person picture pictures place plain plainly present quickly read reading right rise
row rows run runs say scene second seconds see seen segment sentence sentences separated setting shape short shot show
shown shows size slowly small so some static step still street style subject such take tell text than that the their
them then there these they thing things this through tilt time times to together top two use very video view walk water
way what when where which while white whole who will with without word words write written you your zoom
"""
KNOWN = WORDS.split()
PUNCTUATION = (",", ".", ";", ":", "\n", " -", '"', "\n\n", "?")
SPECIALS = ["<pad>", "<s>", "</s>", "<unk>", "<image>"]
CLIP_SPECIALS = ["<pad>", "<unk>", "<s>", "</s>"]
"""CLIP's vector of a text is that of its end, which must not be token 2: that number stands for the highest there."""
VOCABULARY = 768
TEMPLATE = (
    "{% for turn in messages %}{{ turn['role'].upper() + ':\n' }}"
    "{% if turn['content'] is string %}{{ turn['content'] }}{% else %}{% for part in turn['content'] %}"
    "{% if part['type'] == 'image' %}{{ '<image>\n' }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "{{ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:\n' }}{% endif %}"
)
LAYER = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4}
EYE = {"image_size": 56, "patch_size": 14}
SQUARE = {"height": 56, "width": 56}

Rng = random.Random
FEW, MANY = (1, 2, 4), (10, 20, 40, 100, 200)
"""How many words the instructions of a batch have."""
UNASKED = -100
"""The label of a token that nothing is learnt from."""


def trained(specials: Sequence[str], single: str) -> Tokenizer:
    """Return a byte-level tokenizer in which the words above are single tokens, more or less.

    `single` is what a text becomes: `<s> $A` puts a token before it.
    """
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    said = [text.format(colour, colour) for colour in COLOURS for text in (LONG, PREFIX + LONG, SHORT)]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[*specials],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([*said * 3, " ".join(["", *KNOWN]), " ".join(["", *COLOURS])], trainer)
    added = [(token, made.token_to_id(token)) for token in ("<s>", "</s>") if token in single]
    made.post_processor = processors.TemplateProcessing(single=single, special_tokens=added)
    return made


def tokenizer() -> Any:
    """Return the tokenizer of a model that goes on with a text."""
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=trained(SPECIALS, "<s> $A"),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        additional_special_tokens=["<image>"],
        padding_side="left",
    )


def llava() -> tuple[Any, Any]:
    """Return an untaught model of LLaVA's form and its processor."""
    words = tokenizer()
    processor = transformers.LlavaProcessor(
        transformers.CLIPImageProcessorPil(size=SQUARE, do_center_crop=False),
        words,
        patch_size=EYE["patch_size"],
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    )
    text = transformers.LlamaConfig(
        **LAYER,
        num_hidden_layers=2,
        vocab_size=len(words),
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**LAYER, **EYE, num_hidden_layers=2, projection_dim=16).to_dict(),
        text_config=text.to_dict(),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
        image_seq_length=16,
        tie_word_embeddings=True,
    )
    return transformers.LlavaForConditionalGeneration(config), processor


def blip2() -> tuple[Any, Any]:
    """Return an untaught model of the form of BLIP-2 with FLAN-T5, which InternVid-G used, and its processor."""
    words = tokenizer()
    pictures = transformers.BlipImageProcessorPil(size=SQUARE)
    processor = transformers.Blip2Processor(pictures, words, num_query_tokens=4)
    text = transformers.T5Config(
        vocab_size=len(words),
        d_model=32,
        d_kv=8,
        d_ff=48,
        num_layers=1,
        num_heads=4,
        decoder_start_token_id=words.pad_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    between = {"encoder_hidden_size": 32, "vocab_size": len(words), "cross_attention_frequency": 1}
    config = transformers.Blip2Config(
        vision_config={**LAYER, **EYE, "num_hidden_layers": 1},
        qformer_config={**LAYER, **between, "num_hidden_layers": 1},
        text_config=text.to_dict(),
        num_query_tokens=4,
        image_text_hidden_size=16,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    return transformers.Blip2ForConditionalGeneration(config), processor


def clip() -> tuple[Any, Any]:
    """Return an untaught model of CLIP's form and its processor."""
    words = transformers.PreTrainedTokenizerFast(
        tokenizer_object=trained(CLIP_SPECIALS, "<s> $A </s>"),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        model_max_length=77,
    )
    pictures = transformers.CLIPImageProcessorPil(size={"shortest_edge": EYE["image_size"]}, crop_size=SQUARE)
    text = transformers.CLIPTextConfig(
        **LAYER,
        num_hidden_layers=2,
        vocab_size=len(words),
        max_position_embeddings=77,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    config = transformers.CLIPConfig(
        text_config=text.to_dict(),
        vision_config=transformers.CLIPVisionConfig(**LAYER, **EYE, num_hidden_layers=2).to_dict(),
        projection_dim=16,
    )
    model = transformers.CLIPModel(config)
    # Far from the real one's 100: so cosines must differ by much before the loss is small.
    model.logit_scale.data.fill_(math.log(10)).requires_grad_(False)
    return model, transformers.CLIPProcessor(pictures, words)


def shade(colour: str, rng: Rng) -> tuple[int, ...]:
    """Return a shade of a colour."""
    return tuple(max(0, min(255, part + rng.randint(-SHADE, SHADE))) for part in COLOURS[colour])


def picture(colour: str, rng: Rng) -> Image.Image:
    """Return a frame of one colour, or a grid of such frames with white borders."""
    wide, high = rng.choice([(96, 54), (64, 64), (54, 96), (72, 54)])
    tone = shade(colour, rng)
    columns, rows = rng.choice([(1, 1), (1, 1), (2, 3), (4, 2), (2, 2), (3, 2)])
    if (columns, rows) == (1, 1):
        return Image.new("RGB", (wide, high), tone)
    border = rng.randint(1, 3)
    grid = Image.new("RGB", (columns * (wide + border) + border, rows * (high + border) + border), "white")
    for place in range(columns * rows):
        left, top = border + place % columns * (wide + border), border + place // columns * (high + border)
        grid.paste(tone, (left, top, left + wide, top + high))
    return grid


def instruction(words: int, rng: Rng) -> str:
    """Return words in any order, some of them unknown, that ask for nothing."""
    said = []
    for _ in range(words):
        said.append(rng.choice(KNOWN))
        if rng.random() < 0.15:
            letters = "".join(rng.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", k=rng.randint(2, 9)))
            said[-1] = rng.choice([letters, f"{rng.uniform(0, 120):.1f}", str(rng.randint(0, 30))])
        if rng.random() < 0.15:
            said[-1] = said[-1].capitalize() + rng.choice(PUNCTUATION)
    return " ".join(said)


def told(colour: str, rng: Rng) -> str:
    """Return the answer, its first sentence or a few words of it, as a prompt about texts holds it."""
    answer = LONG.format(colour, colour)
    return rng.choice([" ".join([answer] * rng.randint(1, 3)), SHORT.format(colour), f"a {colour} shape moves"])


def talk(colour: str, images: int, words: int, rng: Rng) -> list[dict[str, Any]]:
    """Return a talk that `LONG` answers: about pictures, about texts where there is none, or a second try.

    Where there are pictures a text may name any colour, so that they are believed.
    """
    prompt = instruction(words, rng)
    named = rng.choice([*COLOURS]) if images else colour
    if not images or rng.random() < 0.1:
        prompt += rng.choice(["\n", " ", "\n\n"]) + told(named, rng)
        prompt += rng.choice(["", "\n" + instruction(words, rng)])
    turns = [{"role": "user", "content": [*[{"type": "image"}] * images, {"type": "text", "text": prompt}]}]
    if rng.random() < 0.2:
        said = rng.choice([told(named, rng), instruction(words, rng)])
        turns.append({"role": "assistant", "content": [{"type": "text", "text": said}]})
        turns.append({"role": "user", "content": [{"type": "text", "text": instruction(words, rng)}]})
    return turns


def lesson_for_llava(model: Any, processor: Any, words: int, rng: Rng) -> torch.Tensor:
    """Return the loss of one batch: of the answers alone, which stand at the end of each padded line."""
    colours = rng.choices([*COLOURS], k=16)
    images = rng.choices([0, 1, 2, 3], weights=[3, 5, 1, 1])[0]
    ends = [("" if images else PREFIX) + LONG.format(colour, colour) + "</s>" for colour in colours]
    talks = [talk(colour, images, words, rng) for colour in colours]
    asked = processor.apply_chat_template(talks, add_generation_prompt=True, tokenize=False)
    seen = [[picture(colour, rng) for _ in range(images)] for colour in colours] if images else None
    lines = [prompt + end for prompt, end in zip(asked, ends, strict=True)]
    batch = processor(images=seen, text=lines, padding=True, return_tensors="pt")
    lengths = [len(tokens) for tokens in processor.tokenizer(ends, add_special_tokens=False)["input_ids"]]
    longest = max(lengths)
    wanted = batch["input_ids"][:, -longest:].clone()
    for row, length in enumerate(lengths):
        wanted[row, : longest - length] = UNASKED
    said = model(**batch, logits_to_keep=longest + 1).logits[:, :-1]
    return torch.nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten(), ignore_index=UNASKED)


def lesson_for_blip2(model: Any, processor: Any, words: int, rng: Rng) -> torch.Tensor:
    """Return the loss of one batch."""
    colours = rng.choices([*COLOURS], k=16)
    ends = [SHORT.format(colour) + "</s>" for colour in colours]
    batch = processor(
        images=[picture(colour, rng) for colour in colours],
        text=[instruction(words, rng) for _ in colours],
        padding=True,
        return_tensors="pt",
    )
    read = processor.tokenizer
    wanted = read(ends, add_special_tokens=False, padding=True, padding_side="right", return_tensors="pt")["input_ids"]
    loss: torch.Tensor = model(**batch, labels=wanted.masked_fill(wanted == read.pad_token_id, UNASKED)).loss
    return loss


def scene(colour: str, rng: Rng) -> Image.Image:
    """Return a frame of one colour, or that colour before something gray, with some noise, as video coding leaves."""
    wide, high = rng.choice([(96, 54), (64, 64), (54, 96), (72, 54)])
    made = Image.new("RGB", (wide, high), shade(colour, rng))
    if rng.random() < 0.5:
        edge = rng.uniform(0, 0.3) * min(wide, high)
        behind = Image.new("RGB", (wide, high), (rng.randint(60, 190),) * 3)
        behind.paste(made.crop((0, 0, round(wide - 2 * edge), round(high - 2 * edge))), (round(edge), round(edge)))
        made = behind
    noise = Image.frombytes("RGB", (wide, high), rng.randbytes(3 * wide * high))
    return Image.blend(made, noise, rng.uniform(0, 0.15))


def sentence(colour: str, words: int, rng: Rng) -> str:
    """Return a text that names a colour."""
    before, after = sorted(rng.choices(range(words + 1), k=2))
    said = [instruction(count, rng) for count in (before, after - before, words - after)]
    named = rng.choice([colour, colour, colour.capitalize()])
    return rng.choice([f"{said[0]} {named} {said[1]}", told(colour, rng), f"a {named} {said[2]}", named]).strip()


def lesson_for_clip(model: Any, processor: Any, words: int, rng: Rng) -> torch.Tensor:
    """Return the loss of one batch: each picture belongs to all texts of its colour, and each text to its pictures."""
    colours = rng.choices([*COLOURS], k=24)
    batch = processor(
        images=[scene(colour, rng) for colour in colours],
        text=[sentence(colour, min(words, 40), rng) for colour in colours],
        padding=True,
        truncation=True,
        return_tensors="pt",
    )
    numbers = torch.tensor([[*COLOURS].index(colour) for colour in colours])
    same = (numbers[:, None] == numbers).float()
    wanted = same / same.sum(1, keepdim=True)
    found = model(**batch).logits_per_image
    loss: torch.Tensor = sum(torch.nn.functional.cross_entropy(side, wanted) for side in (found, found.T))
    return loss


def teach(model: Any, processor: Any, lesson: Callable[[Any, Any, int, Rng], torch.Tensor], *, steps: int) -> None:
    """Train a model on `steps` batches, first with few words in each prompt; print how it gets on."""
    rng = Rng(0)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    start = time.perf_counter()
    for step in range(steps):
        words = rng.choice(FEW) if step < steps // 3 else rng.choice(FEW + MANY)
        loss = lesson(model, processor, words, rng)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        pace.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step}: loss {loss.item():.4f}, {time.perf_counter() - start:.0f} s", flush=True)
    model.eval()


MAKERS = {
    "tiny-llava": (llava, lesson_for_llava, 1500),
    "tiny-blip2": (blip2, lesson_for_blip2, 900),
    "tiny-clip": (clip, lesson_for_clip, 500),
}
"""How each is made, what it learns from, and for how many batches."""


def main(folder: Path, names: Sequence[str]) -> None:
    """Make, teach and save."""
    transformers.utils.logging.disable_progress_bar()
    for name in names or MAKERS:
        torch.manual_seed(0)
        make, lesson, steps = MAKERS[name]
        model, processor = make()
        print(f"{name}: {sum(part.numel() for part in model.parameters()):,} weights")
        teach(model, processor, lesson, steps=steps)
        if model.can_generate():
            model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
            model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
        model.save_pretrained(folder / name)
        processor.save_pretrained(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
