"""The picture of a sound: its waveform above, its spectrogram below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

mpl.use("agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

NIGHT, DUSK, CHALK, MUTED = "#12131c", "#1b1d2a", "#e8e6f0", "#8b8ca3"
STYLE: dict[Any, Any] = {
    "figure.facecolor": NIGHT,
    "axes.facecolor": DUSK,
    "axes.edgecolor": DUSK,
    "axes.labelcolor": MUTED,
    "text.color": CHALK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "font.size": 11,
}
SIDES = (("left", "#ff9e64"), ("right", "#7dcfff"))
LOWEST, HIGHEST = 55.0, 5_000.0  # Hz shown
WINDOW, STEP, POINTS = 6144, 256, 32_768  # frames; more points than frames only smooth the picture
FLOOR = -66.0  # dB below the loudest point, drawn as black
OCTAVES = (65.41, 130.81, 261.63, 523.25, 1046.5, 2093.0, 4186.0)  # C2 to C8, Hz

Sound = npt.NDArray[np.float64]


def draw(sound: Sound, rate: int, title: str, note: str, path: Path) -> None:
    """Draw `sound` (frames x (left, right), full scale 1) into the PNG `path`."""
    with mpl.rc_context(STYLE):
        figure, (above, below) = plt.subplots(
            2, 1, figsize=(12, 8), sharex=True, height_ratios=(2, 3), gridspec_kw={"hspace": 0.06}
        )
        draw_waveform(above, sound, rate)
        draw_spectrogram(below, sound, rate)
        figure.text(0.075, 0.945, title, fontsize=19, fontweight="bold")
        figure.text(0.075, 0.91, note, color=MUTED)
        figure.subplots_adjust(left=0.075, right=0.975, top=0.88, bottom=0.075)
        figure.savefig(path, dpi=130)
        plt.close(figure)


def draw_waveform(axes: Axes, sound: Sound, rate: int) -> None:
    """Left above, right below: the outline of each and, inside it, its loudness."""
    step = rate // 200
    blocks = sound[: len(sound) // step * step].reshape(-1, step, 2) * (0.9 / max(np.abs(sound).max(), 1e-9))
    time = (np.arange(len(blocks)) + 0.5) * step / rate
    for side, (name, color) in enumerate(SIDES):
        centre = 1.0 - 2.0 * side
        loudness = np.sqrt((blocks[:, :, side] ** 2).mean(axis=1))
        outline = centre + blocks[:, :, side].min(axis=1), centre + blocks[:, :, side].max(axis=1)
        axes.fill_between(time, *outline, color=color, alpha=0.45, linewidth=0)
        axes.fill_between(time, centre - loudness, centre + loudness, color=color, linewidth=0)
        axes.text(0.008, 0.93 - 0.5 * side, name, color=color, transform=axes.transAxes, fontweight="bold", va="top")
    axes.set(ylim=(-2, 2), yticks=[])
    axes.tick_params(length=0)
    axes.set_ylabel("waveform")


def draw_spectrogram(axes: Axes, sound: Sound, rate: int) -> None:
    """Both sides in one picture: the hue says from which side a tone comes, the brightness how loud it is."""
    window = np.hanning(WINDOW)[:, None]
    padded = np.pad(sound, ((WINDOW // 2, WINDOW // 2), (0, 0)))
    starts = range(0, len(sound), STEP)
    power = np.stack(
        [np.abs(np.fft.rfft(window * padded[at : at + WINDOW], POINTS, axis=0)) ** 2 for at in starts], axis=1
    )
    rows = np.geomspace(LOWEST, HIGHEST, 480)
    power = power[np.rint(rows * POINTS / rate).astype(int)]
    total = power.sum(axis=2)
    brightness = np.clip(1 - 10 * np.log10(total / total.max() + 1e-12) / FLOOR, 0, 1)
    share = (power[:, :, :1] / (total[:, :, None] + 1e-12)) ** 0.5  # 1: all left
    left, right = (np.array(mpl.colors.to_rgb(color)) for _, color in SIDES)
    night = np.array(mpl.colors.to_rgb(DUSK))
    hue = share * left + (1 - share) * right
    picture = night + (hue - night) * brightness[:, :, None] ** 1.3
    edges = np.arange(len(starts) + 1) * STEP / rate
    axes.pcolormesh(edges, np.geomspace(LOWEST, HIGHEST, len(rows) + 1), np.clip(picture, 0, 1), rasterized=True)
    axes.set_yscale("log")
    axes.set(ylim=(LOWEST, HIGHEST), xlim=(0, len(sound) / rate), xlabel="seconds", ylabel="pitch")
    axes.set_yticks(OCTAVES, [f"C{2 + n}" for n in range(len(OCTAVES))])
    axes.minorticks_off()
    axes.tick_params(length=0)
    for frequency in OCTAVES:
        axes.axhline(frequency, color=CHALK, alpha=0.07, linewidth=0.8)
