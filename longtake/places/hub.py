"""Repositories of the Hugging Face hub, read as folders: the hub's library lists them, ranges come by plain HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from longtake.errors import UsageError
from longtake.places import stores
from longtake.places.stores import BusyError, Facts, NoBucketError, UnreachableError

KINDS = {"datasets": "dataset", "spaces": "space"}


@lru_cache(64)
def store(repository: str, *, once: bool = False) -> Any:
    """Return what reads the files of a repository, all of one commit, which can't change; `once` as of any store."""
    api, name, kind, commit = _opened(repository)
    folder = f"{kind}s/" if kind != "model" else ""
    client: dict[str, Any] = {**stores.CLIENT, "allow_http": api.endpoint.startswith("http://")}
    if token := hub_module().get_token():
        client["default_headers"] = {"authorization": f"Bearer {token}"}
    url = f"{api.endpoint}/{folder}{name}/resolve/{commit}"
    retry = stores.ONCE if once else stores.RETRY
    return stores.obstore_module().store.HTTPStore(url, client_options=client, retry_config=retry)


def facts(repository: str, key: str) -> Facts:
    """Return what the hub tells of a file. Raises `FileNotFoundError`."""
    api, name, kind, commit = _opened(repository)
    with _asking(f"hf://{repository}/{key}"):
        found = api.get_paths_info(name, [key], repo_type=kind, revision=commit)
    files = [one for one in found if hasattr(one, "size")]
    if not files:
        raise FileNotFoundError(f"hf://{repository}/{key}: no such file")
    return _facts(files[0])


def walk(repository: str, key: str) -> Iterator[tuple[str, Facts]]:
    """Give the files below a folder, page by page."""
    api, name, kind, commit = _opened(repository)
    with _asking(f"hf://{repository}/{key}"):
        try:
            for one in api.list_repo_tree(name, key or None, recursive=True, repo_type=kind, revision=commit):
                if hasattr(one, "size"):
                    yield one.path, _facts(one)
        except hub_module().errors.EntryNotFoundError:
            return  # as on any store, a folder without files isn't there


def _facts(file: Any) -> Facts:
    """Return the facts of a file; the hub tells no time, and of one commit nothing changes."""
    known = stores.facts_of(file.size, None, file.lfs.sha256 if file.lfs else file.blob_id)
    return Facts(known.st_size, known.st_mtime_ns, None)


@lru_cache(64)
def _opened(repository: str) -> tuple[Any, str, str, str]:
    """Return who to ask, the repository's name and kind, and the commit that this process reads."""
    path, _, revision = repository.partition("@")
    folder, _, rest = path.partition("/")
    kind, name = (KINDS[folder], rest) if folder in KINDS else ("model", path)
    api = hub_module().HfApi()
    with _asking(f"hf://{repository}"):
        commit = api.repo_info(name, repo_type=kind, revision=revision or None).sha
    return api, name, kind, str(commit)


def hub_module() -> Any:
    """Return the hub's library. Raises `UsageError` where it isn't installed."""
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ModuleNotFoundError as error:
        raise UsageError("reading hf:// needs the library huggingface_hub: pip install 'longtake[objects]'") from error
    return huggingface_hub


@contextmanager
def _asking(address: str) -> Iterator[None]:
    """Turn the hub's errors about an address into Python's own, in a line."""
    errors = hub_module().errors
    try:
        yield
    except errors.GatedRepoError as error:
        raise PermissionError(f"{address}: its owner must let you in; ask on its page, then log in") from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        said = f"{address}: no such repository or revision, or a private one: log in or set HF_TOKEN"
        raise NoBucketError(said) from error
    except (errors.HfHubHTTPError, OSError) as error:
        status = getattr(getattr(error, "response", None), "status_code", 0)
        reason = next(iter(str(error).splitlines()), "")
        kind = {401: PermissionError, 403: PermissionError, 429: BusyError, 503: BusyError}.get(
            status, UnreachableError
        )
        raise kind(f"{address}: {reason}") from error
