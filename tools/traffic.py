"""Ordinary traffic of a product on the embedded mock: what bench.py and check-partitions measure with.

Every request is lawful, and most users are written to a few times. The same arguments give the same exchanges.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "contracts"))

from tracksync.contract.bounds import SYNC  # noqa: E402 - the checkout's package comes first
from tracksync.engine.targets import EmbeddedMock  # noqa: E402
from tracksync.faults.catalogue import servers  # noqa: E402
from tracksync.generate.build import JSON_HEADERS, Step  # noqa: E402
from tracksync.mock import MockConfig  # noqa: E402
from tracksync.model.exchange import Exchange, Request  # noqa: E402

RATE_LIMIT = 100_000
EVENTS = ("signed_up", "viewed_product", "added_to_cart", "watched_trailer", "rented_movie", "left_review")
CURRENCIES = ("USD", "EUR", "GBP", "JPY")
COLOURS = ("red", "green", "blue", "yellow")
PLANS = ("free", "basic", "premium")
TAGS = ("new", "loyal", "sports", "films", "news", "sale")


def traffic(count: int, *, users: int | None = None, seed: int = 0, fault: str | None = None) -> Iterator[Exchange]:
    """`count` exchanges with `users` users, one for each eight requests unless said otherwise.

    `fault`: the name of one that the mock has.
    """
    draw = random.Random(seed)
    pool = users or max(count // 8, 1)
    target = EmbeddedMock(MockConfig(rate_limit=RATE_LIMIT, faults=tuple(servers([fault])) if fault else ()))
    for _ in range(count):
        name = f"customer-{draw.randrange(pool):07d}"
        section = draw.choices(("attributes", "events", "purchases"), (5, 4, 1))[0]
        body = {section: [{"external_id": name, **_object(section, draw)}]}
        step = Step(Request("POST", SYNC, JSON_HEADERS, json.dumps(body, separators=(",", ":")).encode()))
        yield target.send(step)
        target.sleep(0.01)


def _object(section: str, draw: random.Random) -> dict[str, Any]:
    time = f"2026-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}T{draw.randint(0, 23):02d}:00:00Z"
    if section == "events":
        properties = {"source": draw.choice(TAGS), "position": draw.randint(1, 50)}
        return {"name": draw.choice(EVENTS), "time": time, "properties": properties}
    if section == "purchases":
        product = f"product-{draw.randrange(200)}"
        price = draw.randint(1, 9999) / 100
        return {"product_id": product, "currency": draw.choice(CURRENCIES), "price": price, "time": time}
    kinds = {
        "favourite_colour": draw.choice(COLOURS),
        "plan": draw.choice(PLANS),
        "visits": {"inc": 1},
        "score": draw.randint(0, 1000),
        "subscribed": draw.random() < 0.5,
        "tags": {"add": [draw.choice(TAGS)]},
        "last_order": {"total": draw.randint(1, 500), "items": draw.randint(1, 9)},
    }
    chosen = draw.sample(sorted(kinds), draw.randint(1, 4))
    return (
        {"first_name": "Ada", **{key: kinds[key] for key in chosen}}
        if draw.random() < 0.2
        else {key: kinds[key] for key in chosen}
    )


def main() -> None:
    """Write exchanges as NDJSON: COUNT of them to FILE; ."""
    import argparse

    from tracksync.cassettes.exchange_lines import write_line

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--users", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault")
    chosen = parser.parse_args()
    made = traffic(chosen.count, users=chosen.users, seed=chosen.seed, fault=chosen.fault)
    with chosen.file.open("wb") as file:
        for exchange in made:
            file.write(write_line(exchange, "https://rest.example.com"))


if __name__ == "__main__":
    main()
