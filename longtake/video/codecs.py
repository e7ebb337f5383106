"""Which codecs this build of the decoder library has."""

import av

DECODERS = {"h264": "h264", "hevc": "hevc", "vp9": "vp9", "av1": "libdav1d", "mpeg2": "mpeg2video", "prores": "prores"}
"""Codecs that videos come in -> the decoder that is wanted for each."""
ENCODERS = {"h264": "libx264", "aac": "aac"}
"""Codecs that clip files are written in -> the encoder for each."""


def missing_codecs() -> list[str]:
    """Return the codecs that should be there and aren't, as `hevc decoder`."""
    wanted = [(name, codec, "r", "decoder") for name, codec in DECODERS.items()]
    wanted += [(name, codec, "w", "encoder") for name, codec in ENCODERS.items()]
    return [f"{name} {what}" for name, codec, mode, what in wanted if not _has(codec, mode)]


def _has(codec: str, mode: str) -> bool:
    try:
        av.codec.Codec(codec, mode)  # type: ignore[arg-type]  # one of the two literals
    except (av.codec.codec.UnknownCodecError, ValueError):
        return False
    return True
