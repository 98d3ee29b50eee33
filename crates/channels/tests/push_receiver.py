"""A browser and its push service for the tests, by PyPI's http_ece and py_vapid (both parts of pywebpush).

{"do": "subscription", "endpoint": ...}             gives a subscription whose private key is known here
{"do": "receive", "body": ..., "authorization": ...}   gives the message and the claims, or `bad` and why
"""

import base64
import json
import sys

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

# The private key and the secret of RFC 8291's example.
PRIVATE = ec.derive_private_key(0xAB5757A70DD4A53E553A6BBF71FFEFEA287074E7A6B379E3C48F895A02DC33DE, ec.SECP256R1())
AUTH = bytes.fromhex("05305932a1c7eabe13b6cec9fda48882")


def base64_url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_base64_url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def subscription(order):
    public = PRIVATE.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return {"endpoint": order["endpoint"], "expirationTime": None, "keys": {"p256dh": base64_url(public), "auth": base64_url(AUTH)}}


def receive(order):
    if not Vapid02.verify(order["authorization"]):
        return {"bad": "signature"}
    token = order["authorization"].split("t=")[1].split(",")[0]
    message = http_ece.decrypt(base64.b64decode(order["body"]), private_key=PRIVATE, auth_secret=AUTH, version="aes128gcm")
    return {"message": json.loads(message), "claims": json.loads(from_base64_url(token.split(".")[1]))}


order = json.load(sys.stdin)
print(json.dumps({"subscription": subscription, "receive": receive}[order["do"]](order)))
