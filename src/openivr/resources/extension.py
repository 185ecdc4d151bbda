"""Extension: a person's phone (P-Series: add-an-extension, query-extension-list)."""

import hashlib
from collections.abc import Iterator
from itertools import pairwise

from openivr.resources.errors import Problem
from openivr.resources.fields import (
    Body,
    ChoiceField,
    DerivedFlag,
    IntegerField,
    SecretField,
    StoredForm,
    TextField,
    flag,
    number,
)
from openivr.resources.presence import STATUSES, PresenceField
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import ResourceType, Row, Values
from openivr.resources.secret import hash_password

DEVICES = ("sip_phone", "linkus_desktop", "linkus_mobile", "linkus_web")
NOTIFY = ("no", "with_attachment", "without_attachment")  # a mail about a new voicemail message
AFTER_NOTIFY = ("no", "mark_as_read", "delete")  # what happens to the message then
LISTED = ("number", "first_name", "last_name", "email_addr", "mobile_number", "presence_status")
DIGEST = "md5=[0-9a-f]{32} sha256=[0-9a-f]{64}"
ARGON2 = r"\$argon2id\$.*"
REALM = "openivr"  # of SIP digest; part of what is stored, so it can never change


def digest_secret(password: str) -> str:
    """Marks a password that `check` has yet to bind to its user name: see `bind_digest`."""
    return "new:" + password


def bind_digest(user: str, password: str) -> str:
    """H(A1) of SIP digest (RFC 3261 §22.4, RFC 8760), MD5 and SHA-256, in place of the password."""
    text = f"{user}:{REALM}:{password}".encode()
    md5 = hashlib.md5(text, usedforsecurity=False).hexdigest()
    return f"md5={md5} sha256={hashlib.sha256(text).hexdigest()}"


def check(values: Values, body: Body, stored: Values | None) -> Iterator[Problem]:
    """Bind the password to the registration name, judge a new PIN, and check what is done with messages.

    The digest covers the registration name, so a new name needs the password again.
    """
    pin = body.get("vm_pin")
    if isinstance(pin, str) and not isinstance(pin, StoredForm):
        values["weak_pin"] = int(is_weak(pin, values["number"]))
    secret = values["reg_password"]
    if secret.startswith("new:"):
        values["reg_password"] = bind_digest(values["reg_name"], secret.removeprefix("new:"))
    elif stored and values["reg_name"] != stored["reg_name"] and "reg_password" not in body:
        yield Problem("reg_password", ProblemCode.REQUIRED_WITH_NEW_NAME)
    if values["new_vm_notify"] != "no" and not values["email_addr"]:
        yield Problem("email_addr", ProblemCode.REQUIRED_BY_OPTIONS)
    if values["after_vm_notify"] == "delete" and values["new_vm_notify"] == "without_attachment":
        yield Problem("after_vm_notify", ProblemCode.NEEDS_ATTACHMENT)


def is_weak(pin: str, number: str) -> bool:
    """Return True for a PIN that is guessed first: the number, one digit repeated, or digits in a row."""
    steps = {int(second) - int(first) for first, second in pairwise(pin)}
    return pin in (number, number[::-1]) or (len(steps) < 2 and steps <= {-1, 0, 1})


def full_name(values: Values) -> str:
    return f"{values['first_name']} {values['last_name']}".strip()


def online_status(online: int) -> Row:
    """Return the registered devices of an extension. Here these can only be SIP phones."""
    return {
        device: {
            "status": online if device == "sip_phone" else 0,
            "status_list": [],
            "ext_dev_type": device.replace("_phone", "").replace("_", ""),
        }
        for device in DEVICES
    }


def list_row(values: Values) -> Row:
    return {
        "id": values["id"],
        "online_status": online_status(values.get("online", 0)),
        "presence_status": values["presence_status"],
        "number": values["number"],
        "caller_id_name": full_name(values),
        "role_name": "",
        "email_addr": values["email_addr"],
        "mobile_number": values["mobile_number"],
    }


EXTENSION = ResourceType(
    name="extension",
    paths=("extension",),
    title="Extension",
    fields=(
        ChoiceField(name="type", required=True, values=("SIP",), unserved=("FXS",)),
        number(),
        TextField(name="first_name"),
        TextField(name="last_name"),
        TextField(name="email_addr", pattern=r"[^@\s]+@[^@\s]+"),
        TextField(name="mobile_number", high=31, pattern=r"\+?[0-9 ().-]+"),
        TextField(name="title"),
        IntegerField(name="role_id", low=0, high=2**31 - 1, default=0),
        TextField(name="caller_id", high=31, pattern=r"[A-Za-z0-9().+*#-]+"),
        ChoiceField(name="presence_status", required=True, values=STATUSES),
        IntegerField(name="concurrent_registrations", required=True, low=1, high=3, default=1),
        IntegerField(name="ring_timeout", low=5, high=300, default=30),
        flag("enb_vm", default=1),
        TextField(name="reg_name", required=True, low=1, high=63, pattern=r"[A-Za-z0-9._+-]+"),
        SecretField(name="reg_password", required=True, keep=digest_secret, low=8, high=63, kept=DIGEST),
        SecretField(
            name="user_password",
            required=True,
            keep=hash_password,
            low=10,
            high=63,
            rules=("[0-9]", "[A-Z]", "[a-z]"),
            mismatch=ProblemCode.NEEDS_MIXED_CHARACTERS,
            kept=ARGON2,
        ),
        SecretField(
            name="vm_pin",
            keep=hash_password,
            low=3,
            high=15,
            rules=("^[0-9]+$",),
            mismatch=ProblemCode.NOT_DIGITS,
            kept=ARGON2,
        ),
        DerivedFlag(name="weak_pin"),
        # Of the vendor's values only "no" is known for certain.
        ChoiceField(name="new_vm_notify", values=NOTIFY, default="no"),
        ChoiceField(name="after_vm_notify", values=AFTER_NOTIFY, default="no"),
        flag("enb_switch_hours"),
        SecretField(
            name="hours_pin",
            keep=hash_password,
            low=3,
            high=15,
            rules=("^[0-9]+$",),
            mismatch=ProblemCode.NOT_DIGITS,
            kept=ARGON2,
        ),
        PresenceField(name="presence_list"),
    ),
    listed=LISTED,
    row=list_row,
    sorts=("number", "caller_id_name"),
    unique=("reg_name", "email_addr"),
    states=("online",),  # 1 while a phone is registered
    check=check,
)
