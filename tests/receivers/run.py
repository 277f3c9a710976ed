"""Reads a list of requests and prints, for each, whether the page's snippet takes it for genuine."""

import json
import sys

from verify import verify


def is_genuine(request: dict) -> bool:
    try:
        return bool(verify(request["secret"], request["headers"], request["body"].encode()))
    except Exception:
        return False


print(json.dumps([is_genuine(request) for request in json.load(sys.stdin)]))
