"""SIP signalling (RFC 3261): a user agent with registrar, access control and trunks.

Without sockets or clocks: `message`, `sdp`, `auth`, `transaction.tables`, `dialog.dialog`,
`registrar.registrar` and `trunk.trunk_state`. `transport` owns the sockets, `transaction` runs the state
machines, `dialog` the calls, and `agent` joins them.
"""
