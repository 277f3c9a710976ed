"""Statements of PartiQL are taken apart once.

The emulator does so on every call, and for every statement of a batch: this project has few statements, and they were
a tenth of all its work. It can go once the emulator remembers them.
"""

import functools

from ministack.services import _dynamodb_keywords


def remember():
    _dynamodb_keywords._tokenize = functools.lru_cache(_dynamodb_keywords._tokenize)
