"""Opens what is named on the command line: files, patterns, standard input; plain, or compressed with gzip or zstd.

The first bytes say how a file is compressed, its name does not. Gives bytes and lines; knows no form of recording.
"""

from __future__ import annotations

import glob
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from tracksync.errors import MissingExtraError
from tracksync.wire.bodies import Unreadable

try:
    import zstandard
except ImportError:  # without the extra zstd
    zstandard = None  # type: ignore[assignment]

STDIN: Final = Path("-")
MAX_LINE: Final = 64 * 1024 * 1024  # bytes
COMPRESSED: Final = (".gz", ".zst")
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]+")  # a single letter is a drive
_BUFFER: Final = 64 * 1024  # bytes; of a file that is cut short, the last so many may be lost
_BROKEN: Final[tuple[type[Exception], ...]] = (
    *(EOFError, zlib.error, gzip.BadGzipFile),
    *((zstandard.ZstdError,) if zstandard else ()),
)
FAILURES: Final[tuple[type[Exception], ...]] = (*_BROKEN, OSError)


def suffix_of(path: Path) -> str:
    """The suffix of a file's name in small letters, without that of its compression: `.ndjson` of `a.ndjson.gz`."""
    return Path(path.stem).suffix.lower() if path.suffix.lower() in COMPRESSED else path.suffix.lower()


def expanded(paths: Iterable[Path]) -> list[Path]:
    """`paths` with every pattern replaced by the files that fit it, in the order of their names."""
    found: list[Path] = []
    for path in paths:
        url = url_of(path)
        if url is not None and glob.has_magic(url):
            found += [Path(one) for one in _matching(url)]
        elif url is None and path != STDIN and not path.exists() and glob.has_magic(str(path)):
            found += sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
        else:
            found.append(path)
    return found


def url_of(path: Path) -> str | None:
    """The URL that was given as a path, such as `s3://logs/day.ndjson`, for fsspec; None for a path of this machine."""
    scheme, colon, rest = path.as_posix().partition(":/")
    if not colon or not _SCHEME.fullmatch(scheme):
        return None
    return f"{scheme}://{'/' if scheme == 'file' else ''}{rest}"


def _matching(url: str) -> list[str]:
    """The URLs that fit a pattern, in the order of their names."""
    return sorted(one.full_name for one in _fsspec().open_files(url))


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError:
        raise MissingExtraError("a recording at a URL", "distributed") from None
    return fsspec


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The uncompressed bytes of a file or of standard input. Raises Unreadable where it cannot be opened."""
    url = url_of(path)
    try:
        raw: IO[bytes]
        if url is not None:
            raw = _fsspec().open(url, "rb").open()
        else:
            raw = sys.stdin.buffer if path == STDIN else path.open("rb", buffering=_BUFFER)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    try:
        yield _uncompressed(raw)
    except FAILURES as error:
        raise unreadable(error) from None
    finally:
        if path != STDIN:
            raw.close()


def unreadable(error: BaseException) -> Unreadable:
    """What to say of one of FAILURES, which an open file may raise when it is read."""
    if isinstance(error, _BROKEN):
        return Unreadable(f"its compression is broken or cut short: {error}")
    return Unreadable(getattr(error, "strerror", None) or str(error))


def _uncompressed(raw: IO[bytes]) -> IO[bytes]:
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]
    start = buffered.peek(4)[:4]
    if start.startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=buffered), _BUFFER)
    if start == _ZSTD:
        if zstandard is None:
            raise MissingExtraError("a recording that is compressed with zstd", "zstd")
        reader = zstandard.ZstdDecompressor().stream_reader(buffered, read_across_frames=True)
        return io.BufferedReader(reader, _BUFFER)
    return buffered


def lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """(number, line) of every line that is not blank; numbers count from 1. Raises Unreadable."""
    number = 0
    while True:
        number += 1
        try:
            line = file.readline(MAX_LINE + 1)
        except FAILURES as error:
            raise Unreadable(unreadable(error).message, number) from None
        if not line:
            return
        if len(line) > MAX_LINE:
            raise Unreadable(f"the line has more than {MAX_LINE // 1024**2} MB", number)
        if not line.isspace():
            yield number, line
