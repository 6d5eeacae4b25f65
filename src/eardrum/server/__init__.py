"""We are the server: the pure core of a worker.

In: events (`events.py`): time, connections, decoded commands, samples, what an upstream answered.
Out: effects (`effects.py`): answers, notifications, samples, what to say upstream, when to wake.
Never: sockets, clocks, files; a byte that a client wrote leaves the core only as samples or inside a message that was
built here.

Who attacks. Programs in a container: the worker that serves them, the host's server behind it, other outlets, and the
person whose microphone and music these are. A hostile or broken upstream: the programs that it plays for. Other users
of the machine: sockets and the desk. A worker that was taken over: the account that it runs under. Strict reading (in
`protocol`), the rows of `rules.py`, views and the budget (`terms/budget.py`) hold the first; `upstream` reads as
strictly; directories, confinement and the desk's disbelief (in `kernel` and `desk`) hold the others. Out of scope are
faults of the kernel, root, and what the person runs without a container. docs/security.md has all of it.

Who is judged. Every connection belongs to a view: one outlet, a complete small sound server of its own. In a worker of
an outlet there is one view; a room's worker has one per outlet that is wired to it, and judges each as hostile, for
its worker may have been taken over. What a connection may do follows from the wires its outlet has, and from nothing
that is said on the connection: no pid, uid, cookie or program name is believed. Only a standard server asks who comes
in: `admission.py` believes what the kernel says of a peer, and who knows a cookie.

What exists. A view sees its own sink, that sink's monitor, the source `input` if one is wired, and its own clients and
streams. Other views are not hidden: they are absent, their numbers are not even gaps in this view's numbers. An object
that is not there is NOENTITY; a verb that the rights do not allow is ACCESS; what is malformed ends the connection.

What is heard. A monitor carries what the view itself plays and nobody else. The input of a room carries the room
without what the view itself plays.

What a worker reaches that was taken over. What it has open: its clients, its link to the desk, which believes nothing
of it, and its upstreams. A room judges for itself. The host's sound server does not: on a connection to it that is not
led through a gate (`worker/gate.py`, `upstream/gate.py`) such a worker may say whatever a program of the person may,
record everything and everybody, end the server, and have it load modules, which is code on the host. Behind a gate it
can say what `upstream` says for this outlet's wires, and nothing else.

What passes. `rules.py` has a row for every command that a client can say. Properties are cleaned by an allow-list
(`terms/properties.py`) before they are kept, shown or said upstream. Samples pass; nothing else does.
"""
