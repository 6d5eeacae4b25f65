"""A program on OpenAL: `openal.py play FILE`, `openal.py record FILE` (a second, 48 kHz stereo)."""

from __future__ import annotations

import ctypes
import sys
import time

import numpy as np
import soundfile

RATE = 48_000  # Hz
STEREO16, CAPTURE_SAMPLES, BUFFER, STATE, PLAYING, DIRECT_CHANNELS = 0x1103, 0x312, 0x1009, 0x1010, 0x1012, 0x1033

al = ctypes.CDLL("libopenal.so.1")
for name in ("alcOpenDevice", "alcCaptureOpenDevice", "alcCreateContext"):
    getattr(al, name).restype = ctypes.c_void_p


def play(path: str) -> None:
    samples, rate = soundfile.read(path, dtype="int16")
    device = ctypes.c_void_p(al.alcOpenDevice(None))
    context = ctypes.c_void_p(al.alcCreateContext(device, None))
    al.alcMakeContextCurrent(context)
    buffer, source, state = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_int(PLAYING)
    al.alGenBuffers(1, ctypes.byref(buffer))
    al.alGenSources(1, ctypes.byref(source))
    al.alBufferData(buffer, STEREO16, samples.tobytes(), samples.nbytes, rate)
    al.alSourcei(source, BUFFER, buffer.value)
    al.alSourcei(source, DIRECT_CHANNELS, 1)
    al.alSourcePlay(source)
    while state.value == PLAYING:
        time.sleep(0.02)
        al.alGetSourcei(source, STATE, ctypes.byref(state))
    al.alcMakeContextCurrent(None)
    al.alcDestroyContext(context)
    al.alcCloseDevice(device)


def record(path: str) -> None:
    device = ctypes.c_void_p(al.alcCaptureOpenDevice(None, RATE, STEREO16, RATE))
    al.alcCaptureStart(device)
    there, packets = ctypes.c_int(), []
    while sum(map(len, packets)) < RATE:
        al.alcGetIntegerv(device, CAPTURE_SAMPLES, 1, ctypes.byref(there))
        packet = np.zeros((there.value, 2), "<i2")
        al.alcCaptureSamples(device, packet.ctypes.data_as(ctypes.c_void_p), there)
        packets.append(packet)
        time.sleep(0.02)
    al.alcCaptureCloseDevice(device)
    soundfile.write(path, np.concatenate(packets), RATE)


{"play": play, "record": record}[sys.argv[1]](sys.argv[2])
