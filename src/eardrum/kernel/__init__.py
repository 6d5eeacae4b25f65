"""All talk with the kernel: sockets, descriptors, directories, sound files, confinement.

In: paths, descriptors and bytes. Out: what was read, and complaints in one line.
Never: what a message means or who may say it; that is judged by the pure packages below.
"""
