"""Test tools that are shipped: plays for pure cores, strategies for messages, real peers, and ears.

In: what tests do and record. Out: answers, assertion errors that say what was wrong, sounds to play.
Never: imported by anything but tests and demonstrations.
"""
