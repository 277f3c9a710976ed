"""Sends the rows of its input with the page's snippet, and prints those that it returns."""

import json
import sys

from send import send

print(json.dumps(send(sys.argv[1], json.load(sys.stdin))))
