"""Consumers of the event stream and of the result. They know nothing of each other, nor of how a run came about.

`Tally` folds the events of a run into one result (the JSON of `result.schema.json`); `Progress` shows a run while it
goes on. All else renders a result: `terminal`, `json_result`, `junit`, `html`, `markdown`; `compare` holds two
against each other. What a result holds has been through the `Redactor` already.
"""

from tracksync.report.redact import Redactor
from tracksync.report.tally import Tally

__all__ = ["Redactor", "Tally"]
