"""Where the admin API is: below a prefix that no path of the contract begins with."""

from typing import Final

PREFIX: Final = "/__tracksync"
