"""Which server a command sends to, with which keys, and whether it is allowed to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tracksync import config as configuration
from tracksync.cli.names import known_name
from tracksync.cli.shared import environment_key
from tracksync.config import Config
from tracksync.errors import UsageError

_NAMED_TARGETS: Final = ("mock", "live")


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """A target: `address` is `mock` or a base URL; the keys are None for the mock; `config` is tracksync.toml."""

    address: str
    key: str | None = None
    unprivileged_key: str | None = None
    config: Config = field(default_factory=Config)


def find_target(text: str, config_path: Path) -> TargetSettings:
    """The target that `text` names: mock, live or a URL. Raises UsageError, also if nothing may be sent to it."""
    if text == "mock":
        return TargetSettings("mock")
    address, config = find_address(text, config_path)
    key = environment_key(config.key_env)
    if key is None:
        raise UsageError(f"there is no key; put it in the environment variable {config.key_env}")
    unprivileged = environment_key(config.unprivileged_key_env)
    if unprivileged == key:
        raise UsageError(
            f"{config.key_env} and {config.unprivileged_key_env} hold the same key; the second is for a key "
            "without the permission users.track.sync; leave it unset if you have none"
        )
    return TargetSettings(address, key, unprivileged, config)


def find_address(text: str, config_path: Path) -> tuple[str, Config]:
    """The base URL that `text` names (live or a URL), and tracksync.toml if it is `live`, else the default settings.

    Raises UsageError, also if nothing may be sent to it.
    """
    if text != "live" and "://" not in text:
        known_name(text, _NAMED_TARGETS, "target", "give mock, live or a URL that begins with http:// or https://")
    if text == "live":
        config = configuration.load(config_path)
        if config.endpoint is None:
            raise UsageError(
                f'{config_path} names no endpoint; add a line like endpoint = "https://rest.iad-01.braze.com"'
            )
        address = config.endpoint
    else:
        address = configuration.check_endpoint(text)
        config = Config()
    if not configuration.is_loopback(address) and not _allowed(config if text == "live" else None, config_path):
        raise UsageError(
            f"{address} is not on this machine, and nothing is sent to another machine unless {config_path} says "
            "`live = true`; set that only for a workspace where test users may be created"
        )
    return address, config


def _allowed(config: Config | None, config_path: Path) -> bool:
    if config is None and config_path.exists():
        config = configuration.load(config_path)
    return config is not None and config.live
