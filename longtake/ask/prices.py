"""What answers cost: prices from the settings, else from the list that `genai-prices` carries; never from the network.

What is not known stays unknown. Prices are in US dollars for a million tokens.
"""

from dataclasses import dataclass

from longtake.ask import ModelSettings

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens. Of a price in steps the first one, for prompts below about 100,000 tokens."""

    prompt: float
    completion: float
    cached: float
    """For prompt tokens that the server had seen before."""


def price(settings: ModelSettings, model: str) -> Price | None:
    """Return what a model costs at its URL, None where that is not known. `model` is the name the server gives it.

    Prices in the settings go before the list; with a prompt price from there, cached tokens cost as much as others.
    """
    listed = listed_price(settings.url, model)
    prompt, completion, cached = settings.price_in, settings.price_out, settings.price_in
    if listed is not None:
        cached = listed.cached if prompt is None else prompt
        prompt = listed.prompt if prompt is None else prompt
        completion = listed.completion if completion is None else completion
    return None if prompt is None or completion is None or cached is None else Price(prompt, completion, cached)


def listed_price(url: str, model: str) -> Price | None:
    """Return the price in the list. The URL must be known too: other servers may serve a model of the same name."""
    from genai_prices import Usage, calc_price
    from genai_prices.types import TieredPrices

    if not model:
        return None
    try:
        found = calc_price(Usage(), model, provider_api_url=url).model_price
    except LookupError:
        return None
    prompt, completion, cached = (
        None if value is None else float(value.base if isinstance(value, TieredPrices) else value)
        for value in (found.input_mtok, found.output_mtok, found.cache_read_mtok)
    )
    if prompt is None or completion is None:
        return None
    return Price(prompt, completion, prompt if cached is None else cached)


def cost(
    price: Price | None, prompt_tokens: int | None, completion_tokens: int | None, cached_tokens: int | None = None
) -> float | None:
    """Return US dollars for one answer, None where price or tokens are not known."""
    if price is None or prompt_tokens is None or completion_tokens is None:
        return None
    cached = min(cached_tokens or 0, prompt_tokens)
    fresh = prompt_tokens - cached
    return (fresh * price.prompt + cached * price.cached + completion_tokens * price.completion) / MILLION
