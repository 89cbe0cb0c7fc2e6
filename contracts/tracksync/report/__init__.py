"""Reports: consumers of a run's events and of its result. They know nothing of each other or of how a run came about.

`Tally` turns the events of a run into one result (the JSON of `result.schema.json`); `Progress` shows a run while it
goes on. The other modules render a result: `terminal`, `json_result`, `junit`, `html`, `markdown`, `github`;
`compare` compares two. The `Redactor` has removed every secret from a result.
"""

from tracksync.report.redact import Redactor
from tracksync.report.tally import Tally

__all__ = ["Redactor", "Tally"]
