"""Sends mails with Python's smtplib and prints, as JSON lines, what the server answered."""

import json
import smtplib
import ssl
import sys
from email.message import EmailMessage

port, certificate = int(sys.argv[1]), sys.argv[2]


def say(what, code, text=b""):
    print(json.dumps({"what": what, "code": code, "text": text.decode() if isinstance(text, bytes) else text}), flush=True)


def mail(subject, text, html=None, **headers):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ada Lovelace <ada@example.com>", "help@shop.example", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
    say("ehlo", *server.ehlo())
    say("extensions", 0, " ".join(sorted(server.esmtp_features)))
    context = ssl.create_default_context(cafile=certificate)
    server._host = "localhost"
    say("starttls", *server.starttls(context=context))
    say("ehlo again", *server.ehlo())
    say("extensions", 0, " ".join(sorted(server.esmtp_features)))
    for message in [
        mail("Grüße", "Ja, bitte!\n.\n.. Punkte\n", Message_ID="<one@example.com>", In_Reply_To="<msg_7b_4@shop.example>"),
        mail("HTML", "\n", "<div>Hello</div><div>there</div>", Message_ID="<two@example.com>"),
    ]:
        server.send_message(message)
        say("sent", 250)
    try:
        server.send_message(mail("no", "relay"), to_addrs=["somebody@elsewhere.example"])
    except smtplib.SMTPRecipientsRefused as refused:
        say("relay", *next(iter(refused.recipients.values())))
    server.rset()
    try:
        server.sendmail("ada@example.com", ["help@shop.example"], "Subject: large\r\n\r\n" + "x" * 200_000)
    except smtplib.SMTPSenderRefused as refused:
        say("large", refused.smtp_code, refused.smtp_error)
    server.rset()
    # The same without SIZE, so that the mail itself is what is too large.
    server.mail("ada@example.com")
    server.rcpt("help@shop.example")
    say("large unannounced", *server.data("Subject: large\r\n\r\n" + "x" * 200_000))
    server.sendmail("ada@example.com", ["help@shop.example"], "From: ada@example.com\r\nSubject: after\r\n\r\nstill here\r\n")
    say("sent", 250)
