"""Recorded traffic: read from any recorder, checked offline, made from findings, handed on to others.

    read_recording(path) -> Recording       any known form of recording; a broken file is named with its line
    replay(files, emit)                     the same oracle as every command, without a network
    Minter(directory)                       a consumer of events: findings become vcrpy cassettes

A file per subject. `strict_yaml`, `strict_json`, `bodies` take nothing on trust; `forms` know one recorder each;
`clock` gives times to what has none; `masking` and `audit` keep secrets and people out of files. The oracle decides
about right and wrong here as everywhere; nothing in this package checks.
"""
