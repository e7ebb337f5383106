"""A model in this process, by transformers: BLIP-2, LLaVA, LLaVA-NeXT, Qwen-VL and all others of one interface.

The only file that knows torch and transformers, which the extra `local` brings; both are loaded with the model, at the
first question. It runs on the first CUDA GPU where there is one, else on the processor, in one thread of its own.
Questions that wait at the same time are answered as one batch.
"""

import asyncio
import gc
import importlib
import io
import sys
import threading
import time
import zlib
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longtake.ask import AskError, ModelSettings, Reply, Request
from longtake.ask.parse import form_in_words

INSTALL = "pip install 'longtake[local]'"


@dataclass(frozen=True, slots=True)
class _Asked:
    request: Request
    reply: Future[Reply] = field(default_factory=Future)

    @property
    def kind(self) -> tuple[int, int]:
        """What the questions of one batch have in common."""
        return len(self.request.images), self.request.max_tokens


class LocalModel:
    """A model in this process.

    An answer doesn't depend on chance: without temperature the likeliest words are taken, with one they are drawn with
    a seed that each question has of its own. On a GPU the other questions of a batch can still tip a word over, since
    sums of rounded numbers come out differently. Of the settings, `concurrency` is the batch size, and of `extra` only
    `chat_template_kwargs` counts; those about servers and prices, and the time limit, have no meaning here.
    """

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        self._thread = ThreadPoolExecutor(1, "local-model")
        self._waiting: list[_Asked] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._at_once = settings.concurrency
        self._loaded: _Loaded | AskError | None = None

    async def ask(self, request: Request) -> Reply:
        """Return the answer. Raises `AskError`."""
        if request.video:
            raise AskError("rejected", "a model in this process takes pictures only: leave video = false")
        asked = _Asked(request)
        with self._lock:
            self._waiting.append(asked)
        await asyncio.sleep(0)  # whoever asks in the same breath comes into the same batch
        self._thread.submit(self._answer_waiting)
        return await asyncio.wrap_future(asked.reply)

    async def close(self) -> None:
        """Stop what is being answered, after the next word, and free the model's memory."""
        self._closing.set()
        with self._lock:
            for asked in self._waiting:
                asked.reply.cancel()
            self._waiting.clear()
        await asyncio.wrap_future(self._thread.submit(self._free))
        self._thread.shutdown(wait=False)

    def _answer_waiting(self) -> None:
        """Answer one batch of those who wait, in the thread. Each question submits one of these; some find nothing."""
        batch = self._take()
        if not batch:
            return
        try:
            replies = self._answer([asked.request for asked in batch])
        except Exception as error:  # it belongs to those who asked: raised where each of them waits
            for asked in batch:
                asked.reply.set_exception(error)
        else:
            for asked, reply in zip(batch, replies, strict=True):
                asked.reply.set_result(reply)

    def _take(self) -> list[_Asked]:
        """Return the question that waits longest and others of its kind, without those no longer wanted."""
        with self._lock:
            batch = [asked for asked in self._waiting if asked.kind == self._waiting[0].kind][: self._at_once]
            self._waiting = [asked for asked in self._waiting if asked not in batch]
        return [asked for asked in batch if asked.reply.set_running_or_notify_cancel()]

    def _answer(self, requests: list[Request]) -> list[Reply]:
        """Return the answers of one batch; where it doesn't fit into memory, of its halves, and keep to that size."""
        loaded = self._model()
        try:
            replies = loaded.answer(requests, self._closing)
        except loaded.torch.OutOfMemoryError as error:
            if len(requests) == 1:
                message = f"one question to {loaded.name} doesn't fit into the GPU's memory"
                raise _no_model(message, error, "take a smaller model, or smaller pictures") from None
            replies = None  # what the error holds on to must go before the next try
        if replies is not None:
            return replies
        loaded.torch.cuda.empty_cache()
        self._at_once = half = (len(requests) + 1) // 2
        return self._answer(requests[:half]) + self._answer(requests[half:])

    def _model(self) -> "_Loaded":
        """Return the model, loaded at the first call; a load that failed is not tried again."""
        if self._loaded is None:
            try:
                self._loaded = load(self.settings)
            except AskError as error:
                self._loaded = error
        if isinstance(self._loaded, AskError):
            raise self._loaded
        return self._loaded

    def _free(self) -> None:
        self._loaded = None
        gc.collect()
        if "torch" in sys.modules:
            sys.modules["torch"].cuda.empty_cache()  # does nothing where no GPU was used


class _Loaded:
    """The processor, which makes numbers of words and pictures, and the model."""

    def __init__(self, processor: Any, model: Any, settings: ModelSettings) -> None:
        self.torch: Any = importlib.import_module("torch")
        self.processor, self.model = processor, model
        self.name = name_of(settings)
        self.settings = settings
        self.words = processor.tokenizer
        self.words.padding_side = "left"  # so that all answers of a batch begin at one place
        ends = model.generation_config.eos_token_id
        self.ends: list[int] = [self.words.eos_token_id] if ends is None else ends if isinstance(ends, list) else [ends]
        if self.words.pad_token is None:
            self.words.pad_token = self.words.eos_token

    def answer(self, requests: list[Request], closing: threading.Event) -> list[Reply]:
        """Return the answers to questions with equally many pictures and one token limit."""
        start = time.perf_counter()
        limit = min(requests[0].max_tokens, self.settings.max_tokens)
        with self.torch.inference_mode():
            batch = self._read(requests).to(self.model.device, self.model.dtype)
            out = self.model.generate(
                **batch,
                max_new_tokens=limit,
                do_sample=False,
                num_beams=1,
                eos_token_id=self.ends,
                pad_token_id=self.words.pad_token_id,
                logits_processor=self._chance(requests),
                stopping_criteria=[lambda ids, _: self.torch.full(ids.shape[:1], closing.is_set(), device=ids.device)],
            )
        if closing.is_set():
            raise CancelledError
        # A decoder gives back what it was asked before what it says; of an encoder and a decoder the second begins
        # with a token that only says go.
        said = out[:, 1 if self.model.config.is_encoder_decoder else batch["input_ids"].shape[1] :].tolist()
        asked = batch["attention_mask"].sum(1).tolist()
        elapsed_s = time.perf_counter() - start
        return [self._reply(*tokens, elapsed_s) for tokens in zip(said, asked, strict=True)]

    def _read(self, requests: list[Request]) -> Any:
        """Return the batch as the model takes it."""
        pictures = [[_picture(image) for image in request.images] for request in requests]
        if self.processor.chat_template:
            talks = [_talk(request, images) for request, images in zip(requests, pictures, strict=True)]
            return self.processor.apply_chat_template(
                talks,
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
                processor_kwargs={"padding": True},
                **self.settings.extra.get("chat_template_kwargs", {}),
            )
        if len(requests[0].images) != 1:
            message = (
                f"{self.name} is no chat model: it takes one picture and a prompt, and was given "
                f"{len(requests[0].images)} pictures; ask a chat model, or one picture at a time"
            )
            raise AskError("rejected", message)
        prompts = ["\n".join([_prompt(request), *(request.before or ())]) for request in requests]
        return self.processor(images=[one for (one,) in pictures], text=prompts, padding=True, return_tensors="pt")

    def _chance(self, requests: list[Request]) -> list[Any]:
        """Return what draws the next words at the temperature set; nothing where the likeliest are taken."""
        temperature = self.settings.temperature
        if not temperature:
            return []
        sources = []
        for request in requests:
            source = self.torch.Generator(self.model.device)
            source.manual_seed(zlib.crc32("\n".join([request.id, request.prompt, *(request.before or ())]).encode()))
            sources.append(source)

        def draw(_: Any, scores: Any) -> Any:
            # The largest of scores with Gumbel noise is a draw from their softmax, so each line can have its own seed.
            noise = self.torch.stack(
                [self.torch.empty_like(scores[0]).exponential_(generator=source) for source in sources]
            )
            return scores / temperature - noise.log()

        return [draw]

    def _reply(self, tokens: list[int], asked: int, elapsed_s: float) -> Reply:
        """Return one answer; its line of tokens may go on after its end, up to the end of the longest."""
        ended = [place for place, token in enumerate(tokens) if token in self.ends]
        kept = tokens[: ended[0] + 1] if ended else tokens
        return Reply(
            text=self.words.decode(kept, skip_special_tokens=True),
            finish="stop" if ended else "length",
            model=self.name,
            prompt_tokens=asked,
            completion_tokens=len(kept),
            elapsed_s=elapsed_s,
        )


def load(settings: ModelSettings) -> _Loaded:
    """Load the model that settings name, from its folder, the hub's cache on this machine or the hub.

    Raises `AskError` where that can't be done; nothing is written to the screen, and no code of the model's is run.
    """
    name = settings.model
    if name == "auto":
        raise AskError("no_model", "a model in this process needs a name or folder: set `model`", fatal=True)
    try:
        torch, transformers, hub = map(importlib.import_module, ("torch", "transformers", "huggingface_hub"))
    except ImportError as error:
        raise _no_model("a model in this process needs torch and transformers", error, INSTALL) from error
    for library in (transformers.utils, hub.utils):
        library.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    hub.utils.disable_progress_bars()

    gpu = torch.cuda.is_available()
    # On a processor as the model was saved: there only some machines are quicker with short numbers.
    dtype = (
        (torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16)
        if gpu
        else "auto"
    )
    unreached = None if Path(name).is_dir() else _unreached(name, hub)
    # Once it is known that the hub can't be reached, only what is here counts: or each file would be tried for long.
    source = {"local_files_only": Path(name).is_dir() or unreached is not None, "trust_remote_code": False}
    try:
        processor = transformers.AutoProcessor.from_pretrained(name, **source)
        model = transformers.AutoModelForImageTextToText.from_pretrained(name, dtype=dtype, **source)
        return _Loaded(processor, model.to("cuda" if gpu else "cpu").eval(), settings)
    except ImportError as error:  # video processors, which all Qwen-VL have, are torchvision's
        vision = "torchvision" in str(error).lower()
        advice = "pip install torchvision" if vision else "install what it needs"
        raise _no_model(f"{name} needs {'torchvision' if vision else 'more than is here'}", error, advice) from error
    except torch.OutOfMemoryError as error:
        raise _no_model(f"{name} doesn't fit into the GPU's memory", error, "take a smaller model") from error
    except OSError as error:
        if Path(name).is_dir():
            raise _no_model(f"the folder {name} lacks parts of a model", error, "fetch it again") from error
        message = f"{name} is neither a folder nor a model that could be downloaded"
        raise _no_model(message, unreached or error, "look at its name, and whether the hub can be reached") from error
    except Exception as error:  # each library below has errors of its own for a file it can't read
        message = f"{name} can't be loaded as a model that sees pictures and answers in words"
        raise _no_model(message, error, "take another model, or fetch it again") from error


def _unreached(name: str, hub: Any) -> Exception | None:
    """Return why the hub can't be asked for a model; None where it knows it."""
    try:
        hub.model_info(name, timeout=10)
    except Exception as error:  # of the hub, of its HTTP library, of the operating system: told if the load fails
        return error
    return None


def _no_model(message: str, error: Exception, advice: str) -> AskError:
    """Return the error for a model that can't be had, with the first line of its cause and what to do."""
    cause = (str(error).strip() or type(error).__name__).splitlines()[0]
    what_next = f"{advice}"
    return AskError("no_model", f"{message} ({cause}): {what_next}", fatal=True)


def name_of(settings: ModelSettings) -> str:
    """Return what an answer says it is from: the name at the hub, or that of the folder."""
    folder = Path(settings.model)
    return folder.resolve().name if folder.is_dir() else settings.model


def _talk(request: Request, pictures: list[Any]) -> list[dict[str, Any]]:
    """Return a request as the turns of a talk, pictures first."""
    shown = [{"type": "image", "image": picture} for picture in pictures]
    turns = [{"role": "user", "content": [*shown, {"type": "text", "text": _prompt(request)}]}]
    for role, words in zip(("assistant", "user"), request.before or (), strict=False):
        turns.append({"role": role, "content": [{"type": "text", "text": words}]})
    return turns


def _prompt(request: Request) -> str:
    """Return the prompt, with the form of the answer where there is one: nothing here holds a model to a form."""
    return request.prompt if request.schema is None else f"{request.prompt}\n\n{form_in_words(request.schema)}"


def _picture(jpeg: bytes) -> Any:
    return importlib.import_module("PIL.Image").open(io.BytesIO(jpeg)).convert("RGB")
