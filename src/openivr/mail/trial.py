"""A test of the mail server: one mail at once, outside the queue."""

import secrets
import time

from openivr.mail.attempt import AttemptResult, Outcome
from openivr.mail.smtp import CannotConnect, connect
from openivr.mail.text import write_text
from openivr.resources.mail_server import MailServer
from openivr.store.mail.mail_queue import Mail

SUBJECT = "Test mail from OpenIVR"
BODY = "This mail shows that OpenIVR can send mail. There is nothing to do.\n"


async def try_mail_server(server: MailServer, recipient: str) -> Outcome:
    """Send a mail to a recipient. Return the answer of the mail server, within two to three minutes."""
    unique = secrets.token_hex(16)
    mail = Mail(
        id="",
        message_id=f"<{unique}.test@{server.sender.rpartition('@')[2]}>",
        recipient=recipient,
        created=time.time_ns() // 1_000_000,
        to_list=(recipient,),
        subject=SUBJECT,
        body=BODY,
    )
    try:
        smtp = await connect(server)
    except CannotConnect as error:
        return Outcome(AttemptResult.POSTPONED, str(error))
    outcome = await smtp.send(recipient, write_text(mail, server), lambda: True)
    await smtp.close()
    assert outcome is not None  # noqa: S101 - `begin` prevents nothing
    return outcome
