"""Calls: the menu core's commands carried out on telephones, and what happens there told to it.

Pure: `dialplan`, `rings`, `causes`, `limits`. Around them: `switchboard` takes calls, `call` drives one,
`ringing` rings somebody for it, `party` is one side of it, `scribe` writes down what happens.
"""
