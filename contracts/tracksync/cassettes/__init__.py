"""Recorded traffic: read from any recorder, checked offline, generated from findings, exported to other tools.

    read_recording(path) -> Recording       any known form of recording; a broken file is named with its line
    replay(plan, emit, clock)               the same oracle as every command, without a network
    CassetteGenerator(cassettes, …)         a consumer of events: findings become vcrpy cassettes

One subject a module. `strict_yaml` and `strict_json` read files from anyone safely; each module of `forms` reads the
files of one family of recorders; `timestamps` gives times to recordings without; `redacting` and `audit` keep keys and
personal data out of files.
"""
