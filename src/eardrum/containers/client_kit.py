"""Where an outlet appears in a container, and what programs there read to find it."""

from __future__ import annotations

# libpulse looks for /var/run/pulse/native when nothing else is configured.
DIRECTORY = "/run/pulse"


def server(directory: str = DIRECTORY) -> str:
    """The value of PULSE_SERVER for an outlet whose directory appears as `directory`."""
    return f"unix:{directory}/native"


def client_conf(server: str, cookie: str | None = None) -> str:
    """Text for PULSE_CLIENTCONFIG or /etc/pulse/client.conf: this server, and never one of the program's own.

    Shared memory stays off: no outlet has any, and with another server it fails where /dev/shm is the container's own.
    """
    lines = [f"default-server = {server}", *([f"cookie-file = {cookie}"] if cookie else [])]
    return "\n".join((*lines, "autospawn = no", "enable-shm = no", ""))


def asound_conf() -> str:
    """Text for ALSA_CONFIG_PATH, after the system's own file, or for /etc/asound.conf: `default` is PulseAudio for
    samples and for levels. Which server that is, PULSE_SERVER or client.conf says.
    """
    return "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
