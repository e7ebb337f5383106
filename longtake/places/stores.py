"""Which library serves an address, with which settings; what a store says of errors, in our words."""

import configparser
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from longtake.errors import UsageError

SCHEMES = ("s3", "gs", "az", "hf")
TABLES = ("s3", "gs", "az")
"""Those that can hold a set."""
CLIENT = {
    "connect_timeout": timedelta(seconds=10),
    "read_timeout": timedelta(seconds=20),
    "timeout": timedelta(seconds=60),
}
"""Silent for so long, or slower than this with one request, a store is asked again; a worker seems dead after 120 s."""
RETRY = {
    "max_retries": 6,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=10), "base": 2},
}
ONCE = {"max_retries": 0, "retry_timeout": timedelta(0)}
"""For those who know themselves when a store is to be asked again."""
_USED_IN: set[int] = set()
"""The process that uses the library; a forked one finds its parent here."""
_BUSY = re.compile(r"SlowDown|status code: (?:429|503)\b")
_WHERE_IN_RUST = re.compile(r", /\S+\.rs:\d+:\d+")
_ADDRESS = re.compile(r"([a-z0-9]+)://([^/]+)/?(.*)", re.DOTALL)
_HUB = re.compile(r"((?:(?:datasets|spaces)/|(?!(?:datasets|spaces)/))[^/@]+/[^/@]+(?:@[^/]+)?)/?(.*)", re.DOTALL)


class ChangedError(OSError):
    """An object is no longer the one that was begun."""


class UnreachableError(OSError):
    """A store, or the way to it, failed again and again."""


class BusyError(UnreachableError):
    """A store says that it is asked too often."""


class NoBucketError(FileNotFoundError):
    """There is no such bucket or repository, so none of its objects either."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a store tells of an object, in the words of `os.stat_result`."""

    st_size: int
    st_mtime_ns: int
    """When it was put; the digits below a second name its content, for stores tell whole seconds."""
    etag: str | None
    """What the store calls its content; None where what is read can't change."""

    @property
    def mark(self) -> str:
        """What tells this content from others of the same object."""
        return self.etag or str(self.st_mtime_ns)


def split(address: str) -> tuple[str, str, str]:
    """Return an address as (scheme, bucket, key); the bucket of `hf://` is a repository. Raises `UsageError`."""
    found = _ADDRESS.fullmatch(address)
    if found is None or found[1] not in SCHEMES:
        raise UsageError(f"{address}: no address of an object store; it looks like s3://bucket/folder")
    scheme, bucket, key = found[1], found[2], found[3].strip("/")
    if scheme == "hf":
        repository = _HUB.fullmatch(f"{bucket}/{key}")
        if repository is None:
            raise UsageError(f"{address}: name a repository, such as hf://datasets/someone/videos")
        bucket, key = repository[1], repository[2].strip("/")
    return scheme, bucket, key


def facts_of(size: int, modified: datetime | None, etag: str | None) -> Facts:
    """Return facts that are equal however a store was asked for them."""
    # A listing and a single answer differ in quotes, and in fractions of a second.
    name = (etag or "").removeprefix("W/").strip('"')
    seconds = int(modified.timestamp()) if modified else 0
    content = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") % 1_000_000_000
    return Facts(size, seconds * 1_000_000_000 + content, etag)


def obstore_module() -> Any:
    """Return the library of object stores. Raises `UsageError` where it isn't installed."""
    try:
        import obstore.store
    except ModuleNotFoundError as error:
        advice = "pip install 'longtake[objects]'"
        raise UsageError(f"reading s3://, gs:// and az:// needs the library obstore: {advice}") from error
    _USED_IN.add(os.getpid())
    if len(_USED_IN) > 1:  # it would wait for ever for threads that stayed with the parent
        raise UsageError(
            "object stores can't be read in a process forked from one that read them; "
            "for PyTorch: DataLoader(..., multiprocessing_context='forkserver')"
        )
    return obstore


@lru_cache(64)
def store(scheme: str, bucket: str, *, once: bool = False) -> Any:
    """Return the store of a bucket, as this process uses it; `once`: what fails isn't tried again."""
    stores = obstore_module().store
    options: dict[str, Any] = dict(settings(scheme, bucket))
    client = {**CLIENT, "allow_http": options.pop("allow_http", "") == "true"}
    kind = {"s3": stores.S3Store, "gs": stores.GCSStore, "az": stores.AzureStore}[scheme]
    return kind(bucket, client_options=client, retry_config=ONCE if once else RETRY, **options)


@lru_cache(64)
def settings(scheme: str, bucket: str) -> Mapping[str, str]:
    """Return how a bucket is reached, beyond what the libraries themselves read from the environment.

    The words are those of `object_store`, which Lance takes as well. Values come from the environment, then from the
    profile's files; a bucket for which there are no credentials anywhere is read as a public one.
    """
    if scheme == "gs":
        return {} if _google_knows() else {"skip_signature": "true"}
    if scheme == "az":
        endpoint = os.environ.get("AZURE_STORAGE_ENDPOINT") or os.environ.get("AZURE_ENDPOINT") or ""
        return {"endpoint": endpoint, "allow_http": "true"} if endpoint.startswith("http://") else {}
    if scheme != "s3":
        return {}
    found = _from_profile()
    endpoint = next(
        (
            os.environ[name]
            for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
            if os.environ.get(name)
        ),
        found.pop("endpoint", ""),
    )
    if endpoint:
        found["endpoint"] = endpoint
        if endpoint.startswith("http://"):
            found["allow_http"] = "true"
    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        found["region"] = region
    elif "region" not in found:
        found["region"] = "us-east-1" if endpoint else _region_of(bucket)
    if "access_key_id" not in found and not _lent_credentials():
        found["skip_signature"] = "true"
    return found


def _from_profile() -> dict[str, str]:
    """Return what the files of the AWS tools say, where the environment has no keys."""
    profile = os.environ.get("AWS_PROFILE", "default")
    credentials = configparser.ConfigParser(interpolation=None)
    config = configparser.ConfigParser(interpolation=None)
    home = Path("~/.aws").expanduser()
    credentials.read(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", home / "credentials"), encoding="utf-8")
    config.read(os.environ.get("AWS_CONFIG_FILE", home / "config"), encoding="utf-8")
    section = "default" if profile == "default" else f"profile {profile}"
    said = {
        **(dict(config[section]) if config.has_section(section) else {}),
        **(dict(credentials[profile]) if credentials.has_section(profile) else {}),
    }
    found = {"region": said.get("region", ""), "endpoint": said.get("endpoint_url", "")}
    if "AWS_ACCESS_KEY_ID" not in os.environ:
        for name in ("access_key_id", "secret_access_key", "session_token"):
            found[name] = said.get(f"aws_{name}", "")
    else:
        for name in ("access_key_id", "secret_access_key", "session_token"):
            found[name] = os.environ.get(f"AWS_{name.upper()}", "")
    return {name: value for name, value in found.items() if value}


def _lent_credentials() -> bool:
    """Return whether the machine itself is lent credentials: a role of a container, a pod or an EC2 machine."""
    names = (
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    )
    if os.environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("true", "1"):
        return False
    if any(name in os.environ for name in names):
        return True
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return False
    return _machine_answers("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})


def _google_knows() -> bool:
    """Return whether Google's stores are told who asks, or should be asked as by nobody: for what is public."""
    names = ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SKIP_SIGNATURE")
    if any(name.startswith(names) for name in os.environ):
        return True
    if Path("~/.config/gcloud/application_default_credentials.json").expanduser().is_file():
        return True
    token = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105  # a path
    return _machine_answers("GET", token, {"Metadata-Flavor": "Google"})


def _machine_answers(method: str, path: str, headers: Mapping[str, str]) -> bool:
    """Return whether what a cloud's machine asks about itself is there and answers."""
    import http.client  # with the package for mails that comes with it, this is much for every worker to load

    asked = http.client.HTTPConnection("169.254.169.254", timeout=1)
    try:
        asked.request(method, path, headers=dict(headers))
        return asked.getresponse().status == 200
    except OSError:
        return False  # no machine of that cloud
    finally:
        asked.close()


def _region_of(bucket: str) -> str:
    """Return the region of a bucket of Amazon's, which tells it to everybody."""
    from pyarrow.fs import resolve_s3_region

    try:
        return str(resolve_s3_region(bucket))
    except OSError:
        return "us-east-1"  # the request itself says what is wrong


@contextmanager
def asking(address: str) -> Iterator[Any]:
    """Give the library, and turn its errors about an address into Python's own."""
    known = obstore_module()
    try:
        yield known
    except Exception as error:  # the library has errors of its own; each is raised in our words
        reason = told(error, address)
        if reason is error:
            raise
        raise reason from error


def fault(error: BaseException | None) -> str:
    """Return what went wrong at a store, in a line; nothing where an error is about something else."""
    text = str(error).partition("Debug source")[0]
    # Tables come through a library that calls some of a store's errors invalid data.
    if not isinstance(error, OSError) and "LanceError(IO)" not in text:
        return ""
    text = _WHERE_IN_RUST.sub("", text.rpartition("Error performing ")[2])
    return re.sub(r"\s+", " ", text).strip()[:300]


def told(error: Exception, address: str) -> OSError:
    """Return a library's error as one of Python's own, in a line."""
    if isinstance(error, NoBucketError | PermissionError | ChangedError | UnreachableError):
        return error
    stores = obstore_module()
    text = str(error)
    if "NoSuchBucket" in text or "ContainerNotFound" in text:
        return NoBucketError(f"{address}: no such bucket")
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(f"{address}: no such object")
    if "Account must be specified" in text:
        return PermissionError(f"{address}: no account is named (AZURE_STORAGE_ACCOUNT_NAME)")
    if isinstance(error, stores.exceptions.PermissionDeniedError | stores.exceptions.UnauthenticatedError):
        return PermissionError(f"{address}: the store says that these credentials may not")
    if isinstance(error, stores.exceptions.PreconditionError | stores.exceptions.NotModifiedError):
        return ChangedError(f"{address}: the object was changed meanwhile")
    reason = re.sub(r"\s+", " ", text.partition("Debug source")[0]).strip()
    kind = BusyError if _BUSY.search(reason) else UnreachableError
    return kind(f"{address}: {reason[:300]}")
