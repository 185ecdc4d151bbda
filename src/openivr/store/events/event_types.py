"""Numbers of the events that can occur here."""

from enum import IntEnum, unique


@unique
class EventType(IntEnum):
    """Events. Those of the P-Series have numbers from 30005 on, ours from 90001 on."""

    EXTENSION_REGISTRATION = 30007
    EXTENSION_STATUS = 30008
    TRUNK_REGISTRATION = 30010
    CALL_STATUS = 30011
    CALL_END = 30012
    CALL_TRANSFER = 30013
    CALL_FORWARD = 30014
    CALL_FAILED = 30015
    DIGIT = 30017
    EXTENSION_CHANGED = 30022
    TRUNK_CHANGED = 30023
    MENU_ENTERED = 90001
    CALL_PERIOD = 90002
    CONFIGURATION_CHANGED = 90003
    HOURS_SWITCHED = 90004
