"""Rules about single values that mock, oracle and generation share. Pure: no I/O, no clock, no randomness, no HTTP.

JSON values are plain Python: dict, list, str, int, float, bool and None. No function changes what it is given;
results may share parts with the arguments, so treat values as frozen.
"""
