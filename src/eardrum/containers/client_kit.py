"""Where an outlet appears in a container, and what programs there read to find it."""

from __future__ import annotations

# libpulse looks for /var/run/pulse/native when nothing else is configured.
DIRECTORY = "/run/pulse"
ALSA_CONF = "/usr/share/alsa/alsa.conf"  # without it ALSA knows no devices at all

README = f"""\
The sound of this container: `native` is the socket of a small PulseAudio server, its outlet. Mounted at {DIRECTORY},
this directory is found by most programs. Elsewhere they are told: PULSE_SERVER=unix:HERE/native
If programs find another server, or start one of their own: PULSE_CLIENTCONFIG={DIRECTORY}/client.conf
For programs that use ALSA: ALSA_CONFIG_PATH={ALSA_CONF}:{DIRECTORY}/asound.conf
Made by Eardrum, which writes these files anew whenever it opens the outlet or is started again.
"""


def server(directory: str = DIRECTORY) -> str:
    """The value of PULSE_SERVER for an outlet whose directory appears as `directory`."""
    return f"unix:{directory}/native"


def variables(directory: str = DIRECTORY) -> dict[str, str]:
    """What a container's environment says of the outlet whose directory appears there as `directory`.

    They are needed where libpulse would look elsewhere first, and for ALSA.
    """
    return {
        "PULSE_SERVER": server(directory),
        "PULSE_CLIENTCONFIG": f"{directory}/client.conf",
        "ALSA_CONFIG_PATH": f"{ALSA_CONF}:{directory}/asound.conf",
    }


def assignments(directory: str = DIRECTORY) -> list[str]:
    """The same, each as `NAME=value`."""
    return [f"{name}={value}" for name, value in variables(directory).items()]


def files() -> dict[str, str]:
    """What lies beside the socket in every outlet's directory: names and texts."""
    return {"client.conf": client_conf(server()), "asound.conf": asound_conf(), "README": README}


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
