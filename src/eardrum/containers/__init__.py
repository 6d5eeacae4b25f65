"""What Eardrum knows of other programs that make containers, and of the files that programs inside one read.

In: a command line as the user typed it, and the directory of an outlet. Out: the command line with the outlet in it.
Never: runs a container, speaks to an engine's daemon, reads or writes an engine's files.
"""
