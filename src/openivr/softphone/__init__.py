"""Softphone on this project's own SIP and media, for the terminal (`openivr call`) and for tests.

    media = open_media(host)
    phone = await Softphone(server, login).start(media)
    call = phone.call("6200")
    call.on_answer = ...                     # and the other callbacks of `b2bua.party.Party`
    call.press("1", DtmfMethod.EVENT)
    call.hang_up()
    phone.close()

`conversation` makes one call and reports its events. `server_log` adds the events that the server's journal
holds on it. `keyboard` and `loudspeaker` are those of the terminal.
"""
