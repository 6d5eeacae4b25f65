"""A program on SDL2: `sdl.py play FILE`, `sdl.py record FILE` (a second, 48 kHz stereo)."""

from __future__ import annotations

import sys
import time

import numpy as np
import pygame
import soundfile
from pygame._sdl2 import audio

RATE = 48_000  # Hz


def play(path: str) -> None:
    pygame.mixer.init(RATE, -16, 2, buffer=8192, allowedchanges=0)
    playing = pygame.mixer.Sound(path).play()
    while playing.get_busy():
        pygame.time.wait(20)


def record(path: str) -> None:
    pygame.mixer.init()
    packets: list[bytes] = []
    device = audio.AudioDevice(
        devicename=audio.get_audio_device_names(True)[0],
        iscapture=True,
        frequency=RATE,
        audioformat=audio.AUDIO_S16,
        numchannels=2,
        chunksize=512,
        allowed_changes=0,
        callback=lambda _, packet: packets.append(bytes(packet)),
    )
    device.pause(0)
    while sum(map(len, packets)) < RATE * 4:
        time.sleep(0.02)
    device.close()
    soundfile.write(path, np.frombuffer(b"".join(packets), "<i2").reshape(-1, 2), RATE)


{"play": play, "record": record}[sys.argv[1]](sys.argv[2])
