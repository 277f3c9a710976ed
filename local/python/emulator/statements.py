"""PartiQL statements are parsed once.

The emulator parses them on every call, and for every statement of a batch. This project has few statements, and parsing
them was a tenth of all its work. It can go once the emulator remembers them.
"""

import functools

from ministack.services import _dynamodb_keywords


def remember():
    _dynamodb_keywords._tokenize = functools.lru_cache(_dynamodb_keywords._tokenize)
