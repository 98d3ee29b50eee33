"""A mail server by aiosmtpd that writes what it took as one JSON line per mail.

First line: the port. With a certificate it wants STARTTLS (or TLS from the first byte with --implicit)
and, with --user, a sign-in. DKIM is checked by dkimpy against the record given, without DNS.
"""

import argparse
import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys
import warnings

import dkim
from aiosmtpd.smtp import SMTP, AuthResult

# Failed handshakes are what some tests are about.
logging.getLogger().setLevel(logging.CRITICAL)
logging.getLogger("mail").setLevel(logging.CRITICAL + 1)
warnings.simplefilter("ignore")

parser = argparse.ArgumentParser()
for name in ["cert", "key", "user", "password", "record"]:
    parser.add_argument("--" + name)
parser.add_argument("--implicit", action="store_true")
parser.add_argument("--count", action="store_true", help="only say how many came")
options = parser.parse_args()

connections = 0
taken = 0


class Sink:
    async def handle_DATA(self, server, session, envelope):
        global taken
        taken += 1
        if options.count:
            print(json.dumps({"taken": taken, "connections": connections}), flush=True)
            return "250 2.0.0 kept"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        verified = None
        if options.record:
            try:
                verified = dkim.verify(envelope.content, dnsfunc=lambda name, timeout=5: options.record.encode())
            except Exception as error:
                verified = repr(error)
        part = lambda kind: next((p.get_content() for p in mail.walk() if p.get_content_type() == kind), None)
        lines = lambda text: text and text.replace("\r\n", "\n")
        taken_mail = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "encrypted": session.ssl is not None or options.implicit,
            "signed_in": session.auth_data.decode() if session.auth_data else None,
            "headers": [[name, str(value)] for name, value in mail.items()],
            "kind": mail.get_content_type(),
            "text": lines(part("text/plain")),
            "html": lines(part("text/html")),
            "verified": verified,
            "defects": [repr(d) for p in mail.walk() for d in p.defects],
            "longest_line": max(len(line) for line in envelope.content.split(b"\r\n")),
            "ascii": envelope.content.isascii(),
            "raw": envelope.content.decode("utf-8", "replace"),
        }
        print(json.dumps(taken_mail), flush=True)
        return "250 2.0.0 kept"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == options.user.encode() and data.password == options.password.encode()
    return AuthResult(success=good, handled=False, auth_data=data.login)


async def main():
    context = None
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
    starttls = context if not options.implicit else None

    def server():
        global connections
        connections += 1
        # aiosmtpd offers AUTH only after its own STARTTLS, unless told otherwise.
        return SMTP(
            Sink(),
            hostname="sink.example.com",
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=options.user is not None,
            auth_require_tls=not options.implicit and options.cert is not None,
            authenticator=authenticate if options.user else None,
        )

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(server, "127.0.0.1", 0, ssl=context if options.implicit else None)
    print(listening.sockets[0].getsockname()[1], flush=True)
    # Ends with whoever started it.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
