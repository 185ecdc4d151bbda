"""A telephone on this project's own signalling and sound: for the terminal (`openivr call`) and for tests.

    media = telephone.open_media(host)
    phone = await Telephone(server, login).start(media)
    line = phone.call("6200")
    line.on_answer = ...                     # what becomes of it: the callbacks of `calls.party.Party`
    line.press("1", KeyKind.EVENT)
    line.hang_up()
    phone.close()

`conversation` makes one call from its beginning to its end and tells it; `story` adds what the server's
journal says of it; `keyboard` and `player` are the terminal's keys and loudspeaker.
"""
