"""`python -m second_server --port N --api-key K`."""

import argparse
import contextlib

from .server import create
from .sockets import run
from .variants import FAULTS, INTERPRETATIONS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m second_server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--api-key", default="key")
    parser.add_argument("--unprivileged-key")
    parser.add_argument("--rate-limit", type=int, default=500)
    parser.add_argument("--array-limit", type=int, default=500)
    parser.add_argument("--interpretation", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the interpretations and the faults, and stop")
    options = parser.parse_args()
    if options.list:
        for name, sentence in {**INTERPRETATIONS, **FAULTS}.items():
            print(f"{name}\t{sentence}")
        return
    interpretation = dict(pair.partition("=")[::2] for pair in options.interpretation)
    try:
        app = create(
            options.api_key,
            options.unprivileged_key,
            options.rate_limit,
            options.array_limit,
            interpretation,
            set(options.fault),
        )
    except ValueError as wrong:
        parser.error(str(wrong))
    server, url = run(app, options.port)
    print(url, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
