"""Requests count as sent by HTTPS.

AWS's endpoints are reached by HTTPS, the emulator by HTTP. SAM gives the bucket to which it uploads a policy that denies
whatever is not `aws:SecureTransport`, so nobody but the account's root could deploy. It can go once the emulator is
reached by HTTPS.
"""

from ministack import app

pin_request_origin = app.pin_request_origin


def pin_secure_origin(source_ip, _):
    pin_request_origin(source_ip, True)


def secure():
    app.pin_request_origin = pin_secure_origin
