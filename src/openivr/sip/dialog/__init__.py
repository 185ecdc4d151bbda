"""Dialogs (RFC 3261 section 12): UAC and UAS call legs, re-INVITE, PRACK, REFER, session timers."""
