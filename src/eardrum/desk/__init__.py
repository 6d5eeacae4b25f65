"""The daemon that owns outlets, rooms and workers, and the control socket that the command line speaks to.

In: what the owner of the machine asks on the control socket; small fixed records from workers. Out: outlets'
directories with a socket in each, workers that serve them, connections to the host's sound server, files to record to.
Never: a byte that a container wrote, or a name that a worker or a client said. It imports nothing that knows sound.

`main.py` is its life, `api.py` what can be asked, `outlets.py` and `rooms.py` what is open, `workers.py` the processes.
"""
