"""Errors of the client, one class for each case that a program may treat differently.

`ApiError` and its subclasses are answers of the server (P-Series: error-code-and-error-message). The others
are errors of the connection. None of them contains a secret: echoes of a request are masked.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ClientError(Exception):
    """Everything that this package raises, but for ValueError, TypeError and RuntimeError."""


class Unreachable(ClientError):
    """No connection: nothing was sent, so nothing happened on the server."""


class Untrusted(Unreachable):
    """The server has no certificate, not the pinned one, or none that its authority vouches for."""


class Lost(ClientError):
    """The connection broke or fell silent after the request may have been sent.

    A read was tried again already. Anything else may or may not have been done: look before asking again.
    """


class BadAnswer(ClientError):
    """Something answered that is not this API: HTML, a redirect, JSON of another shape."""


class ListingError(ClientError):
    """The pages of a list do not fit together."""


class ListChanged(ListingError):
    """The list changed while it was read: another total, a row twice, or too few rows."""


class PagesIgnored(ListingError):
    """The server answers the same rows for every page."""


class UnsafeFile(ClientError):
    """A token file that other users can read, or that another user owns."""


class ApiError(ClientError):
    """An answer other than success.

    `path` is the endpoint, `code` and `message` are the server's errcode and errmsg, `parameters` whatever
    else it said (invalid_param_list, duplicate_field_list, submsg, ...). `until` is the time (Unix seconds)
    before which trying again is pointless, None where that is not known.
    """

    errcode: ClassVar[int | None] = None

    def __init__(
        self, path: str, code: int, message: str, parameters: Mapping[str, Any], until: float | None = None
    ) -> None:
        super().__init__(path, code, message)
        self.path, self.code, self.message = path, code, message
        self.parameters, self.until = parameters, until

    def __str__(self) -> str:
        parts = [f"{self.path}: {self.code} {self.message}", *self.describe()]
        if self.until is not None:
            parts.append("until " + time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.until)))
        return "; ".join(parts)

    def describe(self) -> list[str]:
        """Return the details of the server's answer as text."""
        said = [str(self.parameters["submsg"])] if self.parameters.get("submsg") else []
        for one in [] if said else self.invalid_fields:
            said.append(f"{one.get('field')} {one.get('validation_type') or one.get('value') or ''}".strip())
        for one in [] if said else self.duplicate_fields:
            owner = f"{one.get('external_source', '')} {one.get('external_source_name', '')}".strip()
            said.append(f"{one.get('field')} {one.get('value')} is used by {owner}")
        return said

    @property
    def invalid_fields(self) -> Sequence[Mapping[str, Any]]:
        """The server's invalid_param_list: what was wrong with which field."""
        return list_of_objects(self.parameters.get("invalid_param_list"))

    @property
    def duplicate_fields(self) -> Sequence[Mapping[str, Any]]:
        """The server's duplicate_field_list: which value is taken, and by which object."""
        return list_of_objects(self.parameters.get("duplicate_field_list"))

    def again(self, until: float | None = None) -> "ApiError":
        """The same refusal, to be raised anew."""
        until = self.until if until is None else until
        return type(self)(self.path, self.code, self.message, self.parameters, until)


def list_of_objects(value: Any) -> Sequence[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else ()


class InternalServerError(ApiError):
    """A fault of the server."""

    errcode = -2


class Failure(ApiError):
    """Failed without a specific reason. At the login: wrong Client ID or Secret."""

    errcode = -1


class PartialSuccess(ApiError):
    """Some of what was asked for was done, some not."""

    errcode = 1


class InterfaceNotExisted(ApiError):
    """The server has no such endpoint."""

    errcode = 10001


class ApiVersionOutOfMaintenance(ApiError):
    """This version of the API was retired."""

    errcode = 10002


class ApiVersionUnsupported(ApiError):
    """This version of the API is not served."""

    errcode = 10003


class TokenExpired(ApiError):
    """The access token is not good, and a fresh one was not either."""

    errcode = 10004


class AccessDenied(ApiError):
    """No permission."""

    errcode = 10005


class OperationFailed(ApiError):
    """The feature is off, or the permission for it is missing."""

    errcode = 10009


class ParameterSyntaxError(ApiError):
    """The server cannot parse the request."""

    errcode = 40001


class ParameterError(ApiError):
    """A parameter is missing or invalid: see `invalid_fields`."""

    errcode = 40002


class DuplicateKeyValue(ApiError):
    """A value that must be unique is taken: see `duplicate_fields`."""

    errcode = 40003


class FileSizeExceeded(ApiError):
    """The upload is too large."""

    errcode = 40004


class DataNotFound(ApiError):
    """There is no such object."""

    errcode = 60001


class MaxLimitationExceeded(ApiError):
    """No more may be added. At the login: 8 tokens are in use, and `until` is when they have all ended."""

    errcode = 60002


class RoleNotExisted(ApiError):
    """There is no such role."""

    errcode = 60101


class AccountIpBlocked(ApiError):
    """Locked out after failed logins, until the time `until`."""

    errcode = 70004


class OverloadTaskRunning(ApiError):
    """A long task is in progress."""

    errcode = 70082


class ActionForbidden(ApiError):
    """This may not be done."""

    errcode = 70084


class IpForbidden(ApiError):
    """This address is not on the server's allow list."""

    errcode = 70087


class ConnectionRelationExisted(ApiError):
    """Other objects still point to this one."""

    errcode = 70091


class PhonebookNotExisted(ApiError):
    """There is no such phonebook."""

    errcode = 70093


class RateNotExisted(ApiError):
    """Call rates are not set."""

    errcode = 70106


class OrganizationDisabled(ApiError):
    """Organizations are switched off."""

    errcode = 70120


class ApiUnavailable(ApiError):
    """The API is switched off."""

    errcode = 70123


class ContactsNotExisted(ApiError):
    """There are no such contacts."""

    errcode = 70128


class ChannelIdNotFound(ApiError):
    """There is no such channel."""

    errcode = 70130


class OperationNotSupported(ApiError):
    """The channel cannot do this now."""

    errcode = 70132


class MaxParticipantsExceeded(ApiError):
    """The conference is full."""

    errcode = 70510


class TrunkNotAvailable(ApiError):
    """The message trunk is not available."""

    errcode = 70514


class TrunkNotExisted(ApiError):
    """There is no such message trunk."""

    errcode = 70515


class WakeupCallConflict(ApiError):
    """There is a wake-up call already."""

    errcode = 70516


BY_CODE: Mapping[int, type[ApiError]] = {
    one.errcode: one for one in ApiError.__subclasses__() if one.errcode is not None
}
