"""Back-to-back user agent (RFC 7092): runs calls, executes the commands of the IVR on SIP and media."""
