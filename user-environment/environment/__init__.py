"""What stands between the network and the Streamlit app of one environment.

    server.py   reads a ServerSpec, sets Streamlit up, listens on a Unix socket or a TCP port
    shim.py     lets a request through only with an assertion that the hub signed for this start
    keys.py     the keys whose signature counts, and what they signed
    sockets.py  open WebSockets by session, so that they can be closed
    control.py  what the hub tells a running environment: sessions that ended, keys that follow
    tab.py      puts Podium's script into Streamlit's page

Nothing here imports `hub`: an environment has an interpreter of its own, and none of the hub's
packages or secrets is reachable from it. Importing any of these modules starts nothing and reads
no configuration, because a warm parent imports them once and forks.
"""
