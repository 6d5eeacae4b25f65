"""Where an outlet appears in a container, and what programs there read to find it."""

from __future__ import annotations

# libpulse looks for /var/run/pulse/native when nothing else is configured.
DIRECTORY = "/run/pulse"


def server(directory: str = DIRECTORY) -> str:
    """The value of PULSE_SERVER for an outlet whose directory appears as `directory`."""
    return f"unix:{directory}/native"


def client_conf(directory: str = DIRECTORY) -> str:
    """Text for PULSE_CLIENTCONFIG: this outlet, and never a sound server of the program's own."""
    return f"default-server = {server(directory)}\nautospawn = no\n"


def asound_conf() -> str:
    """Text for ALSA_CONFIG_PATH, after the system's own file: `default` is PulseAudio for samples and for levels."""
    return "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
