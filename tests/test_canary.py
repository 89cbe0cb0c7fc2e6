"""An API key given to every command that writes files is in none of the files, in no form, and not in the output.

All commands write into one directory: cassettes, manifests, results, pages, journals. Then every byte is searched.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from cassette_harness import CANARY, ROOT, command, served
from pytest_project import project, run

from tracksync.cassettes.reading import read_recording

KEYS = {"TRACKSYNC_API_KEY": CANARY, "TRACKSYNC_UNPRIVILEGED_KEY": f"{CANARY}-2"}
REPORTS = ("--json", "{0}.json", "--junit", "{0}.xml", "--html", "{0}.html", "--markdown", "{0}.md")
# A client that does with its key everything that it must not. It writes the key down for the test: the gate invents it.
CLIENT = """
import json, os, pathlib, urllib.error, urllib.request
key = os.environ["BRAZE_API_KEY"]
pathlib.Path(os.environ["KEY_FILE"]).write_text(key)
for path, header in (("", key), (f"?api_key={key}", key), ("", key + "x"), ("", f'"{key}"')):
    body = json.dumps({"attributes": [{"external_id": "u", "secret": f"Bearer {key}"}]}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {header}"}
    request = urllib.request.Request(os.environ["BRAZE_REST_ENDPOINT"] + "/users/track/sync" + path, body, headers)
    try:
        urllib.request.urlopen(request).read()
    except urllib.error.HTTPError as error:
        error.read()
"""


def reports(name: str) -> list[str]:
    return [word.format(name) for word in REPORTS]


def forms(key: str) -> Iterator[bytes]:
    """The key as it may stand in a file: plain, cut of its dashes, quoted, in UTF-16, as hex, anywhere in base64."""
    for text in (
        key,
        key.replace("-", ""),
        key[:20],
        key[-20:],
        key.upper(),
        key[::-1],
        quote(key.replace("-", "%2D")),
    ):
        yield text.encode()
        yield text.encode("utf-16-le")
    yield key.encode().hex().encode()
    for before in range(3):
        packed = base64.b64encode(b"x" * before + key.encode())
        yield packed[4:-4]


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file's name and bytes, what is compressed in it, and the bodies of recordings."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        yield str(path), raw
        yield f"the name {path}", str(path.relative_to(folder)).encode()
        for word in re.findall(rb"[A-Za-z0-9+/=\s]{40,}", raw):
            bare = re.sub(rb"[\s=]", b"", word)
            packed = base64.b64decode(bare[: len(bare) // 4 * 4])
            yield f"base64 in {path}", packed
            if packed[:2] == b"\x1f\x8b":
                with suppress(zlib.error):  # chance may write these two bytes
                    yield f"gzip in {path}", zlib.decompressobj(31).decompress(packed)
        if path.suffix in (".yaml", ".yml"):
            for one in read_recording(path).interactions:
                yield f"an exchange in {path}", repr(one.exchange).encode()


def leaks(folder: Path, output: str, *keys: str) -> list[str]:
    """Where one of the keys is found."""
    wanted = [form for key in keys for form in forms(key)]
    places = [*contents(folder), ("the output", output.encode())]
    return [place for place, content in places if any(form in content for form in wanted)]


def killed_while_it_fuzzes(url: str, out: Path) -> str:
    """A run that leaves its journal behind."""
    environment = {**os.environ, **KEYS, "PYTHONPATH": str(ROOT / "contracts")}
    words = ["fuzz", "--target", url, "--journal", "journal", "--rate-limit", "100000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tracksync", *words], cwd=out, env=environment, stdout=-1, stderr=subprocess.STDOUT
    )
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size > 200 for path in out.glob("journal/*.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    shown, _ = process.communicate(timeout=30)
    assert list(out.glob("journal/*.jsonl")), shown.decode()
    return shown.decode()


def test_the_key_is_in_no_file_that_any_command_writes(tmp_path: Path) -> None:
    out, output = tmp_path / "out", ""
    out.mkdir()
    (tmp_path / "client.py").write_text(CLIENT, encoding="utf-8")
    gate = ("gate", *reports("gate"), "--", sys.executable, str(tmp_path / "client.py"))
    only = ("--only", "TS-EVENT-COUNT", "--only", "TS-AUTH-INVALID", "--rate-limit", "100000", "--max-requests", "60")
    # The mock echoes keys in its 401s, packs its responses, and breaks a clause, so that there is something to record.
    config = {"key": CANARY, "unprivileged_key": f"{CANARY}-2", "rate_limit": 100_000, "async_delay": 0.0}
    with served(**config, faults=("event-count-stuck",), scenario="gzip") as url:
        output += killed_while_it_fuzzes(url, out)
        record = (
            "--record",
            "found",
            "--record-probes",
            "--save-interpretations",
            "interpretations.toml",
            *reports("fuzz"),
        )
        for words in (
            ("fuzz", "--target", url, *only, *record),
            ("replay", "found", "--against", url, *reports("against")),
            ("replay", "found", "--audit", *reports("replay")),
            ("race", "--target", url, "--clients", "2", "--ops", "20", "--exchanges", "race.ndjson", *reports("race")),
            ("cassettes", "export", "found", "--format", "har", "--output", "found.har"),
            ("cassettes", "export", "found", "--format", "wiremock", "--output", "found.json"),
            gate,
        ):
            done = command(*words, cwd=out, **KEYS, KEY_FILE=str(tmp_path / "made-up"))
            assert done.returncode in (0, 1, 3), done.stdout + done.stderr
            output += done.stdout + done.stderr
        (out / "suite").mkdir()
        project(out / "suite")
        recorded = run(out / "suite", url, "--tracksync-record=all")
        output += recorded.stdout + recorded.stderr
    made_up = (tmp_path / "made-up").read_text(encoding="utf-8")
    names = {path.name for path in out.rglob("*") if path.is_file()}
    assert {
        "manifest.toml",
        "interpretations.toml",
        "gate.html",
        "race.json",
        "against.xml",
        "found.har",
        "race.ndjson",
    } <= names, output
    assert any(name.startswith("ts-auth-invalid") or name == "probe--keys.yaml" for name in names)
    assert list((out / "suite").rglob("*.yaml")), recorded.stdout
    assert leaks(out, output, CANARY, made_up) == []


def test_a_key_in_any_form_would_have_been_found(tmp_path: Path) -> None:
    for number, form in enumerate(forms(CANARY)):
        (tmp_path / f"{number}.txt").write_bytes(b"before " + form + b" after")
    assert {Path(place).name for place in leaks(tmp_path, "", CANARY)} >= {f"{n}.txt" for n in range(number + 1)}
    assert leaks(tmp_path / "nothing", f"Invalid API key: {CANARY}", CANARY) == ["the output"]
